import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { AttackRow, Listing, RateRow, ReplyRankRow, ReplyRow, VectorRow, VictimRow } from "../api/types";
import { Bar } from "../charts/bars";
import { Legend, type PlotProps, TimePlot } from "../charts/plot";
import { plotPicture } from "../charts/png";
import { attackColumns, attackMarks, attacksUrl, Place, replyColumns, replyLine, victimColumn } from "../parts/attacks";
import { PacketsLink } from "../parts/actions";
import { Charted } from "../parts/charted";
import { Controls, Crumbs, Facts, Pager } from "../parts/controls";
import { Listed } from "../parts/listed";
import { countryHref, networkHref, PortLink, sourceHref } from "../parts/ranks";
import { Failed } from "../parts/section";
import { framed, numberColumn, rateUrl, STEP_WORD } from "../parts/steps";
import type { Column } from "../parts/table";
import { Time } from "../parts/time";
import { usePlace } from "../router";
import { asked, type Span, STEP, type Stored, useSpan, viewSpan } from "../span";
import {
	attacksAnswer,
	estimateOf,
	estimateText,
	kindName,
	sensitivityAnswer,
	sensitivityNote,
	victimAnswer,
} from "../text/attacks";
import { count, duration, share } from "../text/format";
import { countryName } from "../text/places";
import { portKey, serviceName } from "../text/services";
import { t } from "../text/strings";
import type { ViewProps } from "./index";

const PAGE = 25,
	RANKS = 8;
const BY = ["country", "network", "port"] as const;

function urls(query: URLSearchParams, span: Span): Record<"attacks" | "replies" | "rates" | "victims" | (typeof BY)[number], string> {
	const params = asked(span, query);
	const ranks = (of: string): string => urlOf("/v1/replies/ranks", { of, ...params, limit: RANKS });
	return {
		attacks: attacksUrl(span),
		replies: urlOf("/v1/replies", { step: span.step, ...params }),
		rates: rateUrl({ step: span.step, ...params }),
		victims: urlOf("/v1/victims", { ...params, limit: PAGE, cursor: query.get("cursor") }),
		country: ranks("country"),
		network: ranks("network"),
		port: ranks("port"),
	};
}

export const attacksAsks = (_: string[], query: URLSearchParams, stored: Stored | undefined): string[] =>
	Object.values(urls(query, viewSpan(query, stored)));

const asOfOf = (of: { as_of: string | null } | undefined): number => Date.parse(of?.as_of ?? "") || Date.now();

const victimColumns = (rows: VictimRow[] | undefined): Column<VictimRow>[] => {
	const most = Math.max(0, ...(rows ?? []).map(r => r.packets));
	return [
		victimColumn(),
		{
			key: "port",
			head: t("attacked"),
			cell: r => <PortLink {...r} />,
			text: r => portKey(r.protocol, r.port),
			sort: r => portKey(r.protocol, r.port),
		},
		{ key: "bar", head: "", class: "bars slim", cell: r => <Bar now={r.packets} most={most} /> },
		numberColumn("packets", t("replies"), r => r.packets),
		numberColumn("attackers", t("reachedAtOnce"), r => r.attackers),
		{ key: "first", head: t("fromMoment"), number: true, class: "soft", cell: r => <Time at={r.first} />, text: r => r.first, sort: r => Date.parse(r.first) },
		{ key: "last", head: t("lastMoment"), number: true, cell: r => <Time at={r.last} />, text: r => r.last, sort: r => Date.parse(r.last) },
		{
			key: "place",
			head: t("network"),
			cell: r => <Place country={r.country} as={r.as_number} />,
			text: r => [r.as_number === null ? "" : `AS${r.as_number}`, r.country ?? ""].filter(Boolean).join(" "),
			sort: r => r.as_number,
		},
	];
};

function whoColumn(by: (typeof BY)[number]): Column<ReplyRankRow> {
	const unknown = <span class="soft">{t("unknown")}</span>;
	if (by === "port")
		return {
			key: "port",
			head: t("attacked"),
			class: "fill what",
			cell: r => (
				<>
					<PortLink protocol={r.protocol ?? ""} port={r.port} />{" "}
					<span class="soft">{serviceName(portKey(r.protocol ?? "", r.port))}</span>
				</>
			),
			text: r => portKey(r.protocol ?? "", r.port),
		};
	if (by === "network")
		return {
			key: "network",
			head: t("network"),
			class: "cut",
			cell: r =>
				r.as_number === null ? (
					unknown
				) : (
					<a href={networkHref(r.as_number)}>
						AS{r.as_number} <span class="soft">{r.as_name}</span>
					</a>
				),
			text: r => r.as_number,
		};
	return {
		key: "country",
		head: t("country"),
		class: "fill",
		cell: r => (r.country ? <a href={countryHref(r.country)}>{countryName(r.country)}</a> : unknown),
		text: r => r.country,
	};
}

function Ranks({ by, url }: { by: (typeof BY)[number]; url: string }): JSX.Element {
	const of = useApi<Listing<ReplyRankRow>>(url);
	return (
		<Listed
			id={`by-${by}`}
			label={t(by === "country" ? "victimCountries" : by === "network" ? "victimNetworks" : "attackedPorts")}
			unit={t("repliesShare")}
			of={of}
			url={url}
			columns={[
				whoColumn(by),
				numberColumn<ReplyRankRow>("packets", t("replies"), r => r.packets),
				numberColumn<ReplyRankRow>("share", t("share"), r => r.share, share, "soft"),
				numberColumn<ReplyRankRow>("victims", t("victims"), r => r.victims, count, "soft"),
			]}
			rowId={r => `${r.country} ${r.as_number} ${r.protocol} ${r.port}`}
			empty={t("noneReplies")}
			hint={RANKS}
		/>
	);
}

function Replies({
	url,
	ratesUrl,
	span,
	name,
	attacks,
}: {
	url: string;
	ratesUrl: string; // tells what was observed
	span: Span;
	name: string;
	attacks: AttackRow[];
}): JSX.Element {
	const of = useApi<Listing<ReplyRow>>(url),
		rates = useApi<Listing<RateRow>>(ratesUrl).data?.rows ?? [],
		rows = of.data?.rows ?? [],
		frame = framed(of, span.step, true);
	const dark = new Set(rates.filter(r => r.observed === 0).map(r => Date.parse(r.moment)));
	const unit = t("repliesPer", t(STEP_WORD[span.step])),
		lines = of.data ? [replyLine(unit, rows, frame.from, frame.to, STEP[span.step], dark)] : [];
	const plot: PlotProps = { label: `${name}: ${unit}`, lines, marks: attackMarks(attacks), ...frame };
	return (
		<Charted
			id="replies"
			label={t("backscatter")}
			unit={unit}
			of={of}
			url={url}
			columns={replyColumns()}
			rows={[...rows].reverse()}
			rowId={r => `${r.moment} ${r.kind}`}
			picture={() => plotPicture(plot, name, unit)}
		>
			<TimePlot {...plot} />
			<Legend lines={lines} more={attacks.length ? <span>◇ {t("attackBegan")}</span> : undefined} />
		</Charted>
	);
}

export function Attacks({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		u = urls(query, span),
		n = status.data?.addresses;
	const attacks = useApi<Listing<AttackRow>>(u.attacks),
		victims = useApi<Listing<VictimRow>>(u.victims),
		asOf = asOfOf(attacks.data);
	const newest = [...(attacks.data?.rows ?? [])].sort((a, b) => b.last - a.last || b.packets - a.packets);
	return (
		<>
			<section class="head">
				<h1>{status.data ? sensitivityAnswer(n) : t("attacks")}</h1>
				<p class="note">{status.data && sensitivityNote(n)}</p>
				<Controls span={span} />
			</section>
			<div class="row">
				<Listed
					id="attacks"
					class="windowed"
					label={t("attacks")}
					unit={t("byCorsaro")}
					of={attacks}
					url={u.attacks}
					answer={attacks.data ? attacksAnswer(newest, asOf, n, span.name) : ""}
					columns={attackColumns(asOf, n)}
					rows={newest}
					rowId={r => `${r.victim} ${r.first}`}
					empty={t("noneAttacks")}
					hint={4}
					sorts="by"
				/>
			</div>
			<div class="row">
				<Replies url={u.replies} ratesUrl={u.rates} span={span} name={t("backscatter")} attacks={newest} />
			</div>
			<div class="row three">
				{BY.map(by => (
					<Ranks key={by} by={by} url={u[by]} />
				))}
			</div>
			<div class="row">
				<Listed
					id="victims"
					label={t("whoReplied")}
					unit={t("byPortUnjudged")}
					of={victims}
					url={u.victims}
					columns={victimColumns(victims.data?.rows)}
					rowId={r => `${r.victim} ${r.protocol} ${r.port}`}
					empty={t("noneReplies")}
					hint={10}
					sorts="sort"
				>
					<Pager of={victims} />
				</Listed>
			</div>
		</>
	);
}

// ---- One victim ----
const victimUrls = (address: string, query: URLSearchParams, span: Span): Record<"vectors" | "steps" | "rates" | "attacks", string> => {
	const base = `/v1/victims/${encodeURIComponent(address)}`,
		params = asked(span, query);
	return {
		vectors: urlOf(base, params),
		steps: urlOf(`${base}/steps`, { step: span.step, ...params }),
		rates: rateUrl({ step: span.step, ...params }),
		attacks: attacksUrl(span),
	};
};

export const victimAsks = ([address = ""]: string[], query: URLSearchParams, stored: Stored | undefined): string[] =>
	Object.values(victimUrls(address, query, viewSpan(query, stored)));

const between = (low: number | null, high: number | null): string =>
	low === null ? "–" : low === high ? count(low) : `${count(low)}–${count(high)}`;

const vectorColumns = (n: number | null | undefined): Column<VectorRow>[] => [
	{
		key: "port",
		head: t("attacked"),
		class: "what",
		cell: r => <PortLink {...r} />,
		text: r => portKey(r.protocol, r.port),
		sort: r => portKey(r.protocol, r.port),
	},
	{ key: "kind", head: t("replyKind"), cell: r => kindName(r.kind), text: r => r.kind, sort: r => r.kind },
	numberColumn("packets", t("replies"), r => r.packets),
	numberColumn("forged", t("forgedDistinct"), r => r.forged),
	numberColumn("peak", t("mostPerMinute"), r => r.peak),
	{
		key: "estimate",
		head: t("estimate"),
		number: true,
		class: "strong",
		cell: r => estimateText(vectorEstimate(r, n)),
		text: r => estimateText(vectorEstimate(r, n)),
		sort: r => r.peak_forged,
	},
	{ key: "ttl", head: "TTL", number: true, class: "soft", cell: r => between(r.ttl_min, r.ttl_max), text: r => between(r.ttl_min, r.ttl_max) },
	{
		key: "length",
		head: t("lengthBytes"),
		number: true,
		class: "soft",
		cell: r => between(r.length_min, r.length_max),
		text: r => between(r.length_min, r.length_max),
	},
	{ key: "first", head: t("fromMoment"), number: true, class: "soft", cell: r => <Time at={r.first} />, text: r => r.first, sort: r => Date.parse(r.first) },
	{ key: "last", head: t("lastMoment"), number: true, cell: r => <Time at={r.last} />, text: r => r.last, sort: r => Date.parse(r.last) },
];

// Where kinds were not told, TCP may have been SYN+ACKs.
const vectorEstimate = (r: VectorRow, n: number | null | undefined) =>
	estimateOf(r.peak_forged, 60, n, r.kind === "syn_ack" || (r.kind === null && r.protocol === "tcp"));

function VictimFacts({ rows, n }: { rows: VectorRow[]; n: number | null | undefined }): JSX.Element {
	const sum = (value: (r: VectorRow) => number): number => rows.reduce((s, r) => s + value(r), 0),
		lead = rows[0]!;
	const first = rows.map(r => r.first).sort()[0]!,
		last = rows.map(r => r.last).sort().pop()!;
	const hardest = rows.reduce((a, b) => (b.peak_forged > a.peak_forged ? b : a));
	return (
		<Facts
			of={[
				[t("fromMoment"), <Time at={first} />],
				[t("lastMoment"), <Time at={last} />, duration((Date.parse(last) - Date.parse(first)) / 1000)],
				[t("replies"), count(sum(r => r.packets))],
				[t("forgedDistinct"), count(sum(r => r.forged))],
				[t("estimate"), estimateText(vectorEstimate(hardest, n)), t("busiestMinute")],
				[t("country"), lead.country ? <a href={countryHref(lead.country)}>{countryName(lead.country)}</a> : t("unknown")],
				[
					t("network"),
					lead.as_number === null ? t("unknown") : <a href={networkHref(lead.as_number)}>AS{lead.as_number}</a>,
					lead.as_name,
				],
			]}
		/>
	);
}

export function Victim({ status, arguments: [address = ""] }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		u = victimUrls(address, query, span),
		n = status.data?.addresses;
	const of = useApi<Listing<VectorRow>>(u.vectors),
		rows = of.data?.rows ?? [];
	const all = useApi<Listing<AttackRow>>(u.attacks),
		asOf = asOfOf(all.data),
		attacks = all.data && { ...all.data, rows: all.data.rows.filter(r => r.victim === address) };
	return (
		<>
			<section class="head" data-waits={of.data || of.failure ? undefined : ""}>
				<Crumbs above={[t("attacks"), "/attacks"]} here={address} />
				<h1 class="title">{address}</h1>
				<p class="sentence">{of.data ? victimAnswer(rows, attacks?.rows, asOf, span.name) : "\u00a0"}</p>
				<Failed of={of} url={u.vectors} />
			</section>
			<div class="row">
				<div>
					{rows.length > 0 && <VictimFacts rows={rows} n={n} />}
					<Controls span={span} />
				</div>
			</div>
			<div class="row">
				<Replies url={u.steps} ratesUrl={u.rates} span={span} name={address} attacks={attacks?.rows ?? []} />
			</div>
			<div class="row">
				<Listed
					id="vectors"
					label={t("vectors")}
					unit={t("vectorsUnit")}
					of={of}
					url={u.vectors}
					columns={vectorColumns(n)}
					rowId={r => `${r.kind} ${r.protocol} ${r.port}`}
					empty={t("noneReplies")}
					hint={4}
					sorts="sort"
					more={<a href={sourceHref(address)}>{t("asSource")}</a>}
				/>
			</div>
			<div class="row">
				<Listed
					id="attacks"
					label={t("repeats")}
					unit={t("byCorsaro")}
					of={{ ...all, data: attacks }}
					url={u.attacks}
					columns={attackColumns(asOf, n)}
					rowId={r => String(r.first)}
					empty={t("undecided")}
					hint={2}
				>
					<p class="note">{t("estimateNote")}</p>
					<p class="note">
						<PacketsLink of={{ source: address, from: span.from, to: span.to }} />
					</p>
				</Listed>
			</div>
		</>
	);
}
