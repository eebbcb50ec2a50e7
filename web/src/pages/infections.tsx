import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { BotCountRow, BotGrowthRow, BotRow, BotStepRow, Listing, RateRow } from "../api/types";
import { Bar } from "../charts/bars";
import type { Line } from "../charts/lines";
import { Legend, type PlotProps, TimePlot } from "../charts/plot";
import { plotPicture } from "../charts/png";
import { Place } from "../parts/attacks";
import { Charted } from "../parts/charted";
import { Controls, Narrowed, Pager } from "../parts/controls";
import { Listed } from "../parts/listed";
import { countryColumn, networkColumn, PortLink, sourceColumn } from "../parts/ranks";
import { framed, momentColumn, numberColumn, rateUrl, STEP_WORD } from "../parts/steps";
import type { Column } from "../parts/table";
import { Time } from "../parts/time";
import { here, usePlace } from "../router";
import { asked, type Span, STEP, type Stored, useSpan, viewSpan } from "../span";
import { count, share } from "../text/format";
import { familyName, growthAnswer, infectionsAnswer } from "../text/infections";
import { countryName } from "../text/places";
import { list, t } from "../text/strings";
import type { ViewProps } from "./index";

const PAGE = 25,
	RANKS = 8;
const BY = ["country", "network"] as const;
const NARROWED = ["family", "grade", "country", "as"] as const;

function urls(query: URLSearchParams, span: Span): Record<"counts" | "steps" | "growth" | "rates" | "list" | (typeof BY)[number], string> {
	const params = { ...asked(span, query), ...Object.fromEntries(NARROWED.map(n => [n, query.get(n)])) },
		counts = (of: string | null): string => urlOf("/v1/infections", { of, ...params, limit: RANKS });
	return {
		counts: counts(null),
		steps: urlOf("/v1/infections/steps", { step: span.step, ...params }),
		growth: urlOf("/v1/infections/growth", { step: span.step, ...params }),
		rates: rateUrl({ step: span.step, ...asked(span, query) }),
		list: urlOf("/v1/infections/sources", { ...params, limit: PAGE, cursor: query.get("cursor") }),
		country: counts("country"),
		network: counts("network"),
	};
}

export const infectionsAsks = (_: string[], query: URLSearchParams, stored: Stored | undefined): string[] =>
	Object.values(urls(query, viewSpan(query, stored)));

const familyColumn = <R extends { family: string | null }>(): Column<R> => ({
	key: "family",
	head: t("family"),
	cell: r => r.family && <a href={here({ family: r.family })}>{familyName(r.family)}</a>,
	text: r => r.family,
	sort: r => r.family,
});
const gradeColumn = <R extends { grade: string | null }>(): Column<R> => ({
	key: "grade",
	head: t("grade"),
	cell: r => r.grade && <a href={here({ grade: r.grade })}>{r.grade}</a>,
	text: r => r.grade,
	sort: r => r.grade,
});

// Each family and grade as a line; none in a step is zero where sensors observed.
const LOOKS: Record<string, Line["look"]> = { "mirai B": "now", "mirai C": "before", "hajime B": "high", "hajime C": "without" };

export function botLines(rows: BotStepRow[], from: number, to: number, step: number, dark: Set<number>): Line[] {
	const by = new Map<string, Map<number, number>>();
	for (const r of rows) {
		const key = `${r.family} ${r.grade}`,
			line = by.get(key) ?? new Map<number, number>();
		line.set(Math.floor(Date.parse(r.moment) / step) * step, r.sources);
		by.set(key, line);
	}
	return [...by].sort(([a], [b]) => Object.keys(LOOKS).indexOf(a) - Object.keys(LOOKS).indexOf(b)).map(([key, line]) => {
		const points: Line["points"] = [],
			[family = "", grade = ""] = key.split(" ");
		for (let at = Math.floor(from / step) * step; at < to; at += step)
			points.push({ at, v: line.get(at) ?? (dark.has(at) ? null : 0), part: at + step > to });
		return { name: `${familyName(family)} ${grade}`, look: LOOKS[key] ?? "plain", points };
	});
}

function Steps({ u, span }: { u: ReturnType<typeof urls>; span: Span }): JSX.Element {
	const of = useApi<Listing<BotStepRow>>(u.steps),
		growth = useApi<Listing<BotGrowthRow>>(u.growth).data?.rows,
		rates = useApi<Listing<RateRow>>(u.rates).data?.rows ?? [];
	const rows = of.data?.rows ?? [],
		frame = framed(of, span.step, true),
		unit = t("distinctSources", t(STEP_WORD[span.step]));
	const dark = new Set(rates.filter(r => r.observed === 0).map(r => Date.parse(r.moment))),
		lines = of.data ? botLines(rows, frame.from, frame.to, STEP[span.step], dark) : [];
	const plot: PlotProps = { label: unit, lines, ...frame };
	return (
		<Charted
			id="steps"
			label={t("overTime")}
			unit={unit}
			of={of}
			url={u.steps}
			answer={growth ? growthAnswer(growth) : ""}
			columns={[
				momentColumn<BotStepRow>(),
				familyColumn<BotStepRow>(),
				gradeColumn<BotStepRow>(),
				numberColumn<BotStepRow>("sources", t("sources"), r => r.sources),
				numberColumn<BotStepRow>("syns", t("syns"), r => r.syns),
			]}
			rows={[...rows].reverse()}
			rowId={r => `${r.moment} ${r.family} ${r.grade}`}
			picture={() => plotPicture(plot, t("infections"), unit)}
		>
			<TimePlot {...plot} />
			<Legend lines={lines} />
			<p class="note">{t("growthNote")}</p>
		</Charted>
	);
}

const signed = (v: number | null): string => (v === null ? "–" : (v > 0 ? "+" : v < 0 ? "−" : "±") + share(Math.abs(v)));

function changeColumns(): Column<BotCountRow>[] {
	return [
		numberColumn<BotCountRow>("sources", t("sources"), r => r.sources),
		numberColumn<BotCountRow>("change", t("changeHead"), r => r.change, signed),
		{
			key: "interval",
			head: t("interval95"),
			number: true,
			optional: true,
			class: "soft",
			cell: r => (r.change_low === null ? "" : `${signed(r.change_low)} … ${signed(r.change_high)}`),
			text: r => (r.change_low === null ? null : `${r.change_low} ${r.change_high}`),
		},
	];
}

function Ranks({ by, url }: { by: (typeof BY)[number]; url: string }): JSX.Element {
	const of = useApi<Listing<BotCountRow>>(url);
	return (
		<Listed
			id={`by-${by}`}
			label={t(by === "country" ? "countries" : "networksOnly")}
			unit={t("distinctAgainst")}
			of={of}
			url={url}
			columns={[by === "network" ? networkColumn<BotCountRow>() : countryColumn<BotCountRow>(), ...changeColumns()]}
			rowId={r => `${r.country} ${r.as_number}`}
			empty={t("noneBots")}
			hint={RANKS}
		/>
	);
}

const botColumns = (rows: BotRow[] | undefined): Column<BotRow>[] => [
	sourceColumn(),
	familyColumn(),
	gradeColumn(),
	{ key: "bar", head: "", class: "bars slim", cell: r => <Bar now={r.syns} most={Math.max(0, ...(rows ?? []).map(x => x.syns))} /> },
	numberColumn("syns", t("syns"), r => r.syns),
	numberColumn("minutes", t("minutesSeen"), r => r.minutes, count, "soft"),
	numberColumn("sensors", t("sensorsCount"), r => r.sensors, count, "soft"),
	{
		key: "ports",
		head: t("ports"),
		cell: r => (
			<>
				{r.ports.slice(0, 3).map((port, i) => (
					<>
						{i > 0 && " "}
						<PortLink protocol="tcp" port={port} />
					</>
				))}
				{r.ports.length > 3 && ` +${r.ports.length - 3}`}
			</>
		),
		text: r => r.ports.join(" "),
	},
	{ key: "ttl", head: "TTL", number: true, class: "soft", cell: r => (r.ttl_min === r.ttl_max ? count(r.ttl_min) : `${r.ttl_min}–${r.ttl_max}`), text: r => `${r.ttl_min}–${r.ttl_max}` },
	{ key: "last", head: t("lastMoment"), number: true, cell: r => <Time at={r.last} />, text: r => r.last, sort: r => Date.parse(r.last) },
	{
		key: "place",
		head: t("network"),
		cell: r => <Place country={r.country} as={r.as_number} />,
		text: r => [r.as_number === null ? "" : `AS${r.as_number}`, r.country ?? ""].filter(Boolean).join(" "),
		sort: r => r.as_number,
	},
];

function narrowed(query: URLSearchParams): { text: string; away: Record<string, null> }[] {
	const text = (name: (typeof NARROWED)[number], v: string): string =>
		name === "family" ? familyName(v) : name === "grade" ? `${t("grade")} ${v}` : name === "country" ? countryName(v) : `AS${v}`;
	return NARROWED.filter(n => query.get(n)).map(n => ({ text: text(n, query.get(n)!), away: { [n]: null } }));
}

export function Infections({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		u = urls(query, span);
	const counts = useApi<Listing<BotCountRow>>(u.counts),
		bots = useApi<Listing<BotRow>>(u.list);
	return (
		<>
			<section class="head">
				<h1>{(counts.data && infectionsAnswer(counts.data.rows, span.name)) || t("infections")}</h1>
				<p class="note">{t("gradesNote")}</p>
				<Controls span={span} />
				<Narrowed by={narrowed(query)} />
			</section>
			<div class="row">
				<Steps u={u} span={span} />
			</div>
			<div class="row three">
				<Listed
					id="families"
					label={t("families")}
					unit={t("distinctAgainst")}
					of={counts}
					url={u.counts}
					columns={[familyColumn<BotCountRow>(), gradeColumn<BotCountRow>(), ...changeColumns()]}
					rowId={r => `${r.family} ${r.grade}`}
					empty={t("noneBots")}
					hint={4}
				/>
				{BY.map(by => (
					<Ranks key={by} by={by} url={u[by]} />
				))}
			</div>
			<div class="row">
				<Listed
					id="list"
					label={t("botSources")}
					unit={list(t("grade"), t("syns"))}
					of={bots}
					url={u.list}
					columns={botColumns(bots.data?.rows)}
					rowId={r => `${r.source} ${r.family}`}
					empty={t("noneBots")}
					hint={15}
					sorts="sort"
				>
					<Pager of={bots} />
				</Listed>
			</div>
		</>
	);
}
