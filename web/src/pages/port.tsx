import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { CountryRow, Listing, NetworkRow, PortDetail, PortHistoryRow, ToolRow } from "../api/types";
import type { Line } from "../charts/lines";
import { type PlotProps, TimePlot } from "../charts/plot";
import { plotPicture } from "../charts/png";
import { onlyCounts, pointsOf } from "../charts/rows";
import { Charted } from "../parts/charted";
import { PacketsLink } from "../parts/actions";
import { Controls, Crumbs, Facts } from "../parts/controls";
import {
	countryColumn,
	countryMark,
	networkColumns,
	rankColumn,
	rateColumn,
	shareColumn,
	toolColumns,
	unitOf,
} from "../parts/ranks";
import { Listed, SourceList } from "../parts/listed";
import { Failed } from "../parts/section";
import { counted, framed, momentColumn, numberColumn, rateUnit, STEP_WORD } from "../parts/steps";
import type { Column } from "../parts/table";
import { Time } from "../parts/time";
import { usePlace } from "../router";
import { asked, type Span, STEP, type Stored, useSpan, viewSpan } from "../span";
import { portAnswer } from "../text/answers";
import { count, NONE, rate, share } from "../text/format";
import { portKey, serviceName, serviceNote } from "../text/services";
import { COUNTRY_JUMP, countriesAnswer, networksAnswer, toolsAnswer } from "../text/sentences";
import { list, t } from "../text/strings";
import type { ViewProps } from "./index";

const was = (v: number | null | undefined, text: (v: number) => string): string | null =>
	v === null || v === undefined ? null : t("was", text(v));

function PortFacts({ row }: { row: PortDetail }): JSX.Element {
	return (
		<Facts
			of={[
				[t("rank"), String(row.rank ?? NONE), was(row.before_rank, String)],
				[t("perDayAddress"), row.rate === null ? null : rate(row.rate), was(row.before_rate, rate)],
				[t("accesses"), count(row.accesses), row.share === null ? null : share(row.share)],
				[t("sources"), count(row.sources)],
				[t("networksCount"), row.networks === null ? null : count(row.networks)],
				[t("countriesCount"), row.countries === null ? null : count(row.countries)],
				[t("sensorsCount"), row.sensors === null ? null : count(row.sensors)],
				[t("first"), row.first ? <Time at={row.first} /> : null],
			]}
		/>
	);
}

interface Urls {
	one: string;
	history: string;
	countries: string;
	networks: string;
	tools: string;
	sources: string;
}

function urls([protocol = "", port = ""]: string[], query: URLSearchParams, span: Span): Urls {
	const base = `/v1/ports/${encodeURIComponent(protocol)}/${encodeURIComponent(port)}`,
		params = asked(span, query);
	return {
		one: urlOf(base, params),
		history: urlOf(`${base}/history`, { step: span.step, ...params }),
		countries: urlOf(`${base}/countries`, { ...params, limit: 8 }),
		networks: urlOf(`${base}/networks`, { ...params, limit: 8 }),
		tools: urlOf(`${base}/tools`, params),
		sources: urlOf(`${base}/sources`, { ...params, limit: 15 }),
	};
}

export const portAsks = (which: string[], query: URLSearchParams, stored: Stored | undefined): string[] =>
	Object.values(urls(which, query, viewSpan(query, stored)));

const historyColumns = (): Column<PortHistoryRow>[] => [
	momentColumn(),
	numberColumn("rate", t("perDayAddress"), r => r.rate, rate),
	numberColumn("accesses", t("accesses"), counted),
	numberColumn("sources", t("sources"), r => r.sources),
	numberColumn("observed", t("observed"), r => r.observed, share, "soft"),
];

function History({ name, url, step }: { name: string; url: string; step: Span["step"] }): JSX.Element {
	const of = useApi<Listing<PortHistoryRow>>(url),
		rows = of.data?.rows ?? [];
	const counts = onlyCounts(rows),
		unit = rateUnit(rows, step),
		frame = { ...framed(of, step, counts), ending: true };
	const line = (name: string, value: (r: PortHistoryRow) => number | null): Line[] => [
		{ name, look: "now", points: pointsOf(rows, value, 0, of.data?.as_of, STEP[step]) },
	];
	const plot: PlotProps = { label: unit, lines: line(unit, r => (counts ? r.accesses : r.rate)), ...frame };
	return (
		<Charted
			id="history"
			label={t("history")}
			of={of}
			url={url}
			columns={historyColumns()}
			rows={[...rows].reverse()}
			rowId={r => r.moment}
			picture={() => plotPicture(plot, name, unit)}
		>
			<h3>{unit}</h3>
			<TimePlot {...plot} />
			{(!rows.length || rows.some(r => r.sources !== null)) && (
				<>
					<h3>
						{t("distinctSources", t(STEP_WORD[step]))}, {t("logScale")}
					</h3>
					<TimePlot label={t("sources")} lines={line(t("sources"), r => r.sources)} size="low" log {...frame} />
				</>
			)}
		</Charted>
	);
}

function Countries({ url }: { url: string }): JSX.Element {
	const of = useApi<Listing<CountryRow>>(url),
		rows = of.data?.rows;
	return (
		<Listed
			id="countries"
			label={t("who")}
			unit={list(unitOf(rows), t("shareUnit"))}
			of={of}
			url={url}
			answer={countriesAnswer(rows ?? [])}
			columns={[rankColumn(rows, COUNTRY_JUMP), countryColumn(), rateColumn(rows), shareColumn()]}
			rowId={r => r.country ?? "-"}
			empty={t("noneCountries")}
			hint={8}
			mark={countryMark}
		/>
	);
}

function Networks({ url }: { url: string }): JSX.Element {
	const of = useApi<Listing<NetworkRow>>(url),
		rows = of.data?.rows;
	return (
		<Listed
			id="networks"
			label={t("networksOnly")}
			unit={list(unitOf(rows), t("shareUnit"))}
			of={of}
			url={url}
			answer={networksAnswer(rows ?? [])}
			columns={[...networkColumns(), rateColumn<NetworkRow>(rows), shareColumn<NetworkRow>()]}
			rowId={r => String(r.as_number)}
			hint={8}
		/>
	);
}

function Tools({ url }: { url: string }): JSX.Element {
	const of = useApi<Listing<ToolRow>>(url);
	return (
		<Listed
			id="tools"
			label={t("tool")}
			unit={t("shareOfSources")}
			of={of}
			url={url}
			answer={toolsAnswer(of.data?.rows ?? [])}
			columns={toolColumns(of.data?.rows)}
			rowId={r => r.tool}
			empty={t("noneTools")}
			hint={5}
		/>
	);
}

export function Port({ status, arguments: which }: ViewProps): JSX.Element {
	const [protocol = "", port = ""] = which,
		{ query } = usePlace(),
		span = useSpan(status.data),
		u = urls(which, query, span);
	const of = useApi<PortDetail>(u.one),
		key = portKey(protocol, Number(port));
	return (
		<>
			<section class="head" data-waits={of.data || of.failure ? undefined : ""}>
				<Crumbs above={[[t("ports"), "/ports"]]} here={key} />
				<div class="name">
					<h1 class="title">{key}</h1>
					<span class="soft">{serviceNote(key) || serviceName(key)}</span>
				</div>
				<p class="sentence">{portAnswer(of.data, span.name) || "\u00a0"}</p>
				<Failed of={of} url={u.one} />
			</section>
			<div class="row">
				<div>
					{of.data && <PortFacts row={of.data} />}
					<Controls span={span} />
					<p class="note">
						<PacketsLink of={{ port, protocol, from: span.from, to: span.to }} />
					</p>
				</div>
			</div>
			<div class="row">
				<History name={key} url={u.history} step={span.step} />
			</div>
			<div class="row three">
				<Countries url={u.countries} />
				<Networks url={u.networks} />
				<Tools url={u.tools} />
			</div>
			<div class="row">
				<SourceList url={u.sources} hint={10} all={urlOf("/sources", { port, protocol })} />
			</div>
		</>
	);
}
