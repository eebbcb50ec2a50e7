import type { JSX } from "preact";
import { type Loaded, urlOf, useApi } from "../api/client";
import type { AttackRow, AttackVectorRow, Listing, OnsetRow } from "../api/types";
import type { Mark } from "../charts/plot";
import { PacketsLink } from "../parts/actions";
import { asOfOf, attackColumns, attackHref, attackUrl, iso, MINUTE, victimHref } from "../parts/attacks";
import { Controls, Crumbs, Facts } from "../parts/controls";
import { Listed } from "../parts/listed";
import { countryHref, networkHref, PortLink, sourceHref } from "../parts/ranks";
import { Replies } from "../parts/replies";
import { Failed, Section } from "../parts/section";
import { numberColumn, rateUrl } from "../parts/steps";
import type { Column } from "../parts/table";
import { Time } from "../parts/time";
import { usePlace } from "../router";
import { asked, type Span, type Step, stepFor, type Stored, useSpan, viewSpan } from "../span";
import { attackAnswer, estimateText, isOn, kindName, onsetBeforeText, onsetText, outcomeName, rateOf, uniformityText, verdictName, victimAnswer } from "../text/attacks";
import { count, duration, NONE, rate } from "../text/format";
import { countryName } from "../text/places";
import { portKey } from "../text/services";
import { t } from "../text/strings";
import type { ViewProps } from "./index";

// ---- What both views share: all attacks on one victim ----
const MARKED = 5; // more would be no marks

const attackMarks = (rows: AttackRow[]): Mark[] =>
	rows
		.filter(r => r.verdict === "attack")
		.sort((a, b) => b.peak - a.peak)
		.slice(0, MARKED)
		.map(r => ({ at: Date.parse(r.first), text: "", kind: "notice" }));

function Repeats({ of, url, current }: { of: Loaded<Listing<AttackRow>>; url: string; current?: string }): JSX.Element {
	const rows = of.data?.rows ?? [];
	return (
		<Listed
			id="attacks"
			class="windowed"
			label={t("repeats")}
			unit={t("repeatsUnit")}
			of={of}
			url={url}
			columns={repeatColumns(asOfOf(of.data), current)}
			rows={rows}
			rowId={r => r.first}
			mark={r => (r.first === current ? "current" : "")}
			empty={t("noneAttacks")}
			hint={2}
			sorts="sort"
		>
			<p class="note">{t("rateNote")}</p>
		</Listed>
	);
}

function repeatColumns(asOf: number, current: string | undefined): Column<AttackRow>[] {
	const columns = attackColumns(asOf, true).filter(c => !["victim", "place", "first"].includes(c.key));
	return [
		{
			key: "first",
			head: t("fromMoment"),
			class: "what",
			cell: r => (
				<>
					<a href={attackHref(r)} aria-current={r.first === current ? "page" : undefined}>
						<Time at={r.first} />
					</a>
					{r.first === current && <span class="soft"> {t("thisOne")}</span>}
				</>
			),
			text: r => r.first,
			sort: r => Date.parse(r.first),
		},
		...columns,
	];
}

const place = (r: { country: string | null; as_number: number | null; as_name: string | null }): Parameters<typeof Facts>[0]["of"] => [
	[t("country"), r.country ? <a href={countryHref(r.country)}>{countryName(r.country)}</a> : t("unknown")],
	[t("network"), r.as_number === null ? t("unknown") : <a href={networkHref(r.as_number)}>AS{r.as_number}</a>, r.as_name],
];

// ---- One victim ----
function victimUrls(address: string, query: URLSearchParams, span: Span): Record<"attacks" | "history" | "rates", string> {
	const { from, to } = asked(span, query);
	return {
		attacks: attackUrl(address),
		history: urlOf(attackUrl(address, "/history"), { step: span.step, from, to }),
		rates: rateUrl({ step: span.step, from, to }),
	};
}

export const victimAsks = ([address = ""]: string[], query: URLSearchParams, stored: Stored | undefined): string[] =>
	Object.values(victimUrls(address, query, viewSpan(query, stored)));

export function Victim({ status, arguments: [address = ""] }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		u = victimUrls(address, query, span);
	const of = useApi<Listing<AttackRow>>(u.attacks),
		rows = of.data?.rows ?? [],
		latest = rows[0];
	return (
		<>
			<section class="head" data-waits={of.data || of.failure ? undefined : ""}>
				<Crumbs above={[[t("attacks"), "/attacks"]]} here={address} />
				<h1 class="title">{address}</h1>
				<p class="sentence">{of.data ? victimAnswer(rows, asOfOf(of.data)) : "\u00a0"}</p>
				<Failed of={of} url={u.attacks} />
			</section>
			<div class="row">
				<div>
					{latest && (
						<Facts
							of={[
								[t("attacks"), count(rows.filter(r => r.verdict === "attack").length)],
								[t("replies"), count(rows.reduce((n, r) => n + r.packets, 0))],
								[t("lastMoment"), <Time at={latest.last} />],
								...place(latest),
							]}
						/>
					)}
					<Controls span={span} sensor={false}>
						<a href={sourceHref(address)}>{t("asSource")}</a>
					</Controls>
				</div>
			</div>
			<div class="row">
				<Replies url={u.history} ratesUrl={u.rates} step={span.step} name={address} marks={attackMarks(rows)} more={rows.length ? <span>◇ {t("attackBegan")}</span> : undefined} />
			</div>
			<div class="row">
				<Repeats of={of} url={u.attacks} />
			</div>
			<p class="note">
				<PacketsLink of={{ source: address, from: span.from, to: span.to }} />
			</p>
		</>
	);
}

// ---- One attack ----
const BESIDE = 0.1; // of its length, before and after it
const up = (ms: number): number => Math.ceil(ms / MINUTE) * MINUTE;
const text = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");

// The minutes of an attack, and some beside it.
function spanOfAttack(r: AttackRow): { from: string; to: string; step: Step } {
	const first = Date.parse(r.first),
		last = Date.parse(r.last),
		beside = Math.max(5 * MINUTE, (last - first) * BESIDE);
	return { from: text(Math.floor((first - beside) / MINUTE) * MINUTE), to: text(up(last + beside)), step: stepFor(last - first + 2 * beside) };
}

export const attackAsks = ([address = ""]: string[]): string[] => [attackUrl(address), attackUrl(address, "/vectors")];

const range = (low: number, high: number): string => (low === high ? count(low) : `${count(low)}–${count(high)}`);

const vectorColumns = (): Column<AttackVectorRow>[] => [
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
	{ key: "ttl", head: "TTL", number: true, class: "soft", cell: r => range(r.ttl_min, r.ttl_max), text: r => range(r.ttl_min, r.ttl_max) },
	{
		key: "length",
		head: t("lengthBytes"),
		number: true,
		class: "soft",
		cell: r => range(r.length_min, r.length_max),
		text: r => range(r.length_min, r.length_max),
	},
	{ key: "first", head: t("fromMoment"), number: true, class: "soft", cell: r => <Time at={r.first} />, text: r => r.first, sort: r => Date.parse(r.first) },
	{ key: "last", head: t("lastMoment"), number: true, cell: r => <Time at={r.last} />, text: r => r.last, sort: r => Date.parse(r.last) },
];

function AttackFacts({ r, asOf }: { r: AttackRow; asOf: number }): JSX.Element {
	const size = rateOf(r),
		seconds = (Date.parse(r.last) - Date.parse(r.first)) / 1000,
		on = isOn(Date.parse(r.last), asOf, "monomi");
	return (
		<Facts
			of={[
				[t("verdict"), verdictName(r.verdict, 1)],
				[t("fromMoment"), <Time at={r.first} />],
				[t("toMoment"), on ? t("stillOpen") : <Time at={r.last} />, duration(seconds)],
				[t("estimate"), r.verdict === "attack" && size ? estimateText(size) : null],
				[t("ratePeak"), count(r.peak), t("replies").toLowerCase()],
				[t("replies"), count(r.packets)],
				[t("forgedDistinct"), count(Math.round(r.distinct_forged)), r.factor > 1.05 ? t("sentAgain", rate(r.factor)) : null],
				[t("spread"), r.kind === "reply" && r.protocol === "udp" ? null : uniformityText(r.uniformity)],
				[t("evenly"), `${range(r.ttl_min, r.ttl_max)}, ${range(r.length_min, r.length_max)}`],
				...place(r),
			]}
		/>
	);
}

const LOOKED = 86_400_000; // ms before an attack in which an onset may have been raised that still holds

// Those raised while it went on; else the last before it.
function onsetAnswer(rows: OnsetRow[], r: AttackRow): string {
	const first = Date.parse(r.first) / 1000,
		own = rows.find(o => o.raised >= first),
		before = [...rows].reverse().find(o => o.raised < first && o.outcome === "confirmed");
	return own ? onsetText(own) : before ? onsetBeforeText(before) : t("noOnset");
}

function OnsetOf({ r, url }: { r: AttackRow; url: string }): JSX.Element {
	const of = useApi<Listing<OnsetRow>>(url),
		rows = [...(of.data?.rows ?? [])].sort((a, b) => a.raised - b.raised);
	if (of.data && !rows.length)
		return (
			<Section id="onset" label={t("onset")} unit={t("onsetUnit")} of={of} url={url}>
				<p class="note">{t("noOnset")}</p>
			</Section>
		);
	return (
		<Listed<OnsetRow>
			id="onset"
			label={t("onset")}
			unit={t("onsetUnit")}
			of={of}
			url={url}
			answer={of.data ? onsetAnswer(rows, r) : ""}
			columns={[
				{ key: "raised", head: t("noticed"), class: "what", cell: o => <Time at={iso(o.raised)} />, text: o => iso(o.raised) },
				{ key: "outcome", head: t("outcome"), cell: o => outcomeName(o.outcome), text: o => o.outcome },
				{ key: "settled", head: t("settled"), cell: o => (o.settled === null ? NONE : <Time at={iso(o.settled)} />), text: o => (o.settled === null ? null : iso(o.settled)) },
				numberColumn("packets", t("forgedDistinct"), o => o.packets),
				numberColumn("bits", t("evidenceBits"), o => o.evidence_bits),
			]}
			rows={rows}
			rowId={o => String(o.raised)}
			hint={1}
		/>
	);
}

function OneAttack({ r, asOf, address }: { r: AttackRow; asOf: number; address: string }): JSX.Element {
	const span = spanOfAttack(r),
		url = attackUrl(address, "/vectors"),
		of = useApi<Listing<AttackVectorRow>>(url),
		rows = (of.data?.rows ?? []).filter(v => v.attack === r.first);
	return (
		<>
			<div class="row">
				<div>
					<AttackFacts r={r} asOf={asOf} />
				</div>
			</div>
			<div class="row">
				<Replies
					url={urlOf(attackUrl(address, "/history"), { ...span })}
					ratesUrl={rateUrl({ ...span })}
					step={span.step}
					name={address}
					label={t("repliesThen")}
					marks={[]}
				/>
			</div>
			<div class="row">
				<Listed
					id="vectors"
					label={t("vectors")}
					unit={t("vectorsUnit")}
					of={of}
					url={url}
					columns={vectorColumns()}
					rows={rows}
					rowId={v => `${v.kind} ${v.protocol} ${v.port}`}
					empty={t("noneReplies")}
					hint={2}
					sorts="sort"
				/>
			</div>
			<div class="row">
				<OnsetOf r={r} url={urlOf(attackUrl(address, "/onsets"), { from: text(Date.parse(r.first) - LOOKED), to: span.to })} />
			</div>
		</>
	);
}

export function Attack({ arguments: [address = "", first = ""] }: ViewProps): JSX.Element {
	const url = attackUrl(address),
		of = useApi<Listing<AttackRow>>(url),
		asOf = asOfOf(of.data),
		r = of.data?.rows.find(x => x.first === first);
	return (
		<>
			<section class="head" data-waits={of.data || of.failure ? undefined : ""}>
				<Crumbs above={[[t("attacks"), "/attacks"], [address, victimHref(address)]]} here={<Time at={first} />} />
				<h1 class="title">{address}</h1>
				<p class="sentence">{r ? attackAnswer(r, asOf) : of.data ? t("noAttackThere") : "\u00a0"}</p>
				<Failed of={of} url={url} />
			</section>
			{r && <OneAttack r={r} asOf={asOf} address={address} />}
			<div class="row">
				<Repeats of={of} url={url} current={first} />
			</div>
			{r && (
				<p class="note">
					<PacketsLink of={{ source: address, from: text(Math.floor(Date.parse(r.first) / MINUTE) * MINUTE), to: text(up(Date.parse(r.last) + 1)) }} />
				</p>
			)}
		</>
	);
}
