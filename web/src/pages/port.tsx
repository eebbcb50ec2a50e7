import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { CountryRow, Listing, NetworkRow, PortDetail, PortHistoryRow, SourceRow, ToolRow } from "../api/types";
import { type Line, SavePlot, TimePlot } from "../charts/plot";
import { onlyCounts, pointsOf } from "../charts/rows";
import { Controls, Crumbs, Facts } from "../parts/controls";
import {
	countryColumn,
	countryMark,
	CsvLink,
	networkColumns,
	rankColumn,
	rateColumn,
	shareColumn,
	toolColumns,
	unitOf,
} from "../parts/ranks";
import { sourceColumns } from "../parts/sources";
import { Failed, Section, why } from "../parts/section";
import { CopyRows, Table } from "../parts/table";
import { Time } from "../parts/time";
import { usePlace } from "../router";
import { STEP, useSpan } from "../span";
import { portAnswer } from "../text/answers";
import { count, NONE, rate, share } from "../text/format";
import { portKey, serviceName, serviceNote } from "../text/services";
import { COUNTRY_JUMP, countriesAnswer, networksAnswer, toolsAnswer } from "../text/sentences";
import { list, t } from "../text/strings";
import type { ViewProps } from "./index";
import { STEP_WORD, zoom } from "./trend";

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

interface Part {
	base: string;
	params: Record<string, string | null>;
}

function History({ base, params, step }: Part & { step: keyof typeof STEP }): JSX.Element {
	const url = urlOf(`${base}/history`, { step, ...params }),
		of = useApi<Listing<PortHistoryRow>>(url);
	const key = base.split("/").slice(3).reverse().join("/");
	const rows = of.data?.rows ?? [],
		from = Date.parse(of.data?.from ?? "") || Date.now() - STEP.day,
		to = Date.parse(of.data?.to ?? "") || Date.now();
	const frame = {
		from,
		to,
		step: STEP[step],
		steps: step === "day" || onlyCounts(rows),
		zoom,
		minutes: STEP[step] < STEP.hour,
		why: why(of),
		ending: true,
	};
	const line = (name: string, value: (r: PortHistoryRow) => number | null): Line[] => [
		{ name, look: "now", points: pointsOf(rows, value, 0, of.data?.as_of, STEP[step]) },
	];
	const counts = onlyCounts(rows),
		unit = counts ? t("accessesPer", t(STEP_WORD[step])) : t("perDayAddress");
	const plot = { label: unit, lines: line(unit, r => (counts ? r.accesses : r.rate)), ...frame };
	return (
		<Section
			id="history"
			label={t("history")}
			of={of}
			url={url}
			actions={
				<>
					<CsvLink url={url} />
					<SavePlot plot={plot} title={key} unit={unit} />
				</>
			}
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
		</Section>
	);
}

function Countries({ base, params }: Part): JSX.Element {
	const url = urlOf(`${base}/countries`, { ...params, limit: 8 }),
		of = useApi<Listing<CountryRow>>(url),
		rows = of.data?.rows ?? [];
	return (
		<Section
			id="countries"
			label={t("who")}
			unit={list(unitOf(of.data?.rows), t("shareUnit"))}
			of={of}
			url={url}
			answer={countriesAnswer(rows)}
			actions={<CsvLink url={url} />}
		>
			<Table
				label={t("countries")}
				columns={[
					rankColumn<CountryRow>(of.data?.rows, COUNTRY_JUMP),
					countryColumn(),
					rateColumn<CountryRow>(of.data?.rows),
					shareColumn<CountryRow>(),
				]}
				of={of}
				id={r => r.country ?? "-"}
				empty={t("noneCountries")}
				hint={8}
				mark={countryMark}
			/>
		</Section>
	);
}

function Networks({ base, params }: Part): JSX.Element {
	const url = urlOf(`${base}/networks`, { ...params, limit: 8 }),
		of = useApi<Listing<NetworkRow>>(url);
	return (
		<Section
			id="networks"
			label={t("networksOnly")}
			unit={list(unitOf(of.data?.rows), t("shareUnit"))}
			of={of}
			url={url}
			answer={networksAnswer(of.data?.rows ?? [])}
			actions={<CsvLink url={url} />}
		>
			<Table
				label={t("networksOnly")}
				columns={[...networkColumns(), rateColumn<NetworkRow>(of.data?.rows), shareColumn<NetworkRow>()]}
				of={of}
				id={r => String(r.as_number)}
				hint={8}
			/>
		</Section>
	);
}

function Tools({ base, params }: Part): JSX.Element {
	const url = urlOf(`${base}/tools`, params),
		of = useApi<Listing<ToolRow>>(url);
	return (
		<Section
			id="tools"
			label={t("tool")}
			unit={t("shareOfSources")}
			of={of}
			url={url}
			answer={toolsAnswer(of.data?.rows ?? [])}
			actions={<CsvLink url={url} />}
		>
			<Table
				label={t("tools")}
				columns={toolColumns(of.data?.rows)}
				of={of}
				id={r => r.tool}
				empty={t("noneTools")}
				hint={5}
			/>
		</Section>
	);
}

function Sources({ base, params }: Part): JSX.Element {
	const url = urlOf(`${base}/sources`, { ...params, limit: 15 }),
		of = useApi<Listing<SourceRow>>(url),
		columns = sourceColumns(of.data?.rows);
	return (
		<Section
			id="sources"
			label={t("sources")}
			unit={t("packetsCount")}
			of={of}
			url={url}
			actions={
				<>
					<CopyRows columns={columns} rows={of.data?.rows} />
					<CsvLink url={url} />
				</>
			}
		>
			<Table label={t("sources")} columns={columns} of={of} id={r => r.source} hint={10} sorts="sort" />
		</Section>
	);
}

export function Port({ status, arguments: [protocol = "", port = ""] }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data);
	const params = { from: span.from, to: span.to, sensor: query.get("sensor") };
	const base = `/v1/ports/${encodeURIComponent(protocol)}/${encodeURIComponent(port)}`,
		url = urlOf(base, params);
	const of = useApi<PortDetail>(url),
		key = portKey(protocol, Number(port));
	return (
		<>
			<section class="head" data-waits={of.data || of.failure ? undefined : ""}>
				<Crumbs
					path={[
						[t("ports"), "/ports"],
						[key, location.pathname],
					]}
				/>
				<div class="name">
					<h1 class="title">{key}</h1>
					<span class="soft">{serviceNote(key) || serviceName(key)}</span>
				</div>
				<p class="sentence">{portAnswer(of.data, span.name) || "\u00a0"}</p>
				<Failed of={of} url={url} />
			</section>
			<div class="row">
				<div>
					{of.data && <PortFacts row={of.data} />}
					<Controls span={span} />
				</div>
			</div>
			<div class="row">
				<History base={base} params={params} step={span.step} />
			</div>
			<div class="row three">
				<Countries base={base} params={params} />
				<Networks base={base} params={params} />
				<Tools base={base} params={params} />
			</div>
			<div class="row">
				<Sources base={base} params={params} />
			</div>
		</>
	);
}
