import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { CountryRow, Listing, NetworkRow, SourceRow } from "../api/types";
import { WorldMap } from "../charts/map";
import { Controls, Crumbs, Facts, Pager } from "../parts/controls";
import {
	barColumn,
	changeColumn,
	countryColumn,
	countryHref,
	countryMark,
	CsvLink,
	networkColumns,
	rankColumn,
	rateColumn,
	shareColumn,
	sourcesColumn,
	unitOf,
} from "../parts/ranks";
import { sourceColumns } from "../parts/sources";
import { Section } from "../parts/section";
import { CopyRows, Table } from "../parts/table";
import { usePlace } from "../router";
import { type Span, useSpan } from "../span";
import { countryAnswer, networkAnswer } from "../text/answers";
import { count, NONE, rate, share } from "../text/format";
import { countryName } from "../text/places";
import { COUNTRY_JUMP, countriesAnswer, hasJumped, networksAnswer } from "../text/sentences";
import { list, t } from "../text/strings";
import type { ViewProps } from "./index";

const paramsOf = (span: Span, query: URLSearchParams): { from: string; to: string | null; sensor: string | null } => ({
	from: span.from,
	to: span.to,
	sensor: query.get("sensor"),
});

const countryColumns = (rows: CountryRow[] | undefined) => [
	rankColumn<CountryRow>(rows, COUNTRY_JUMP),
	countryColumn(),
	barColumn(rows, COUNTRY_JUMP),
	rateColumn<CountryRow>(rows),
	changeColumn<CountryRow>(COUNTRY_JUMP),
	shareColumn<CountryRow>(),
	sourcesColumn<CountryRow>(),
];

function NetworkList({
	params,
	country,
	n,
}: {
	params: Record<string, string | null>;
	country?: string;
	n: number;
}): JSX.Element {
	const { query } = usePlace();
	const url = urlOf("/v1/networks", { ...params, country, limit: n, cursor: query.get("cursor") }),
		of = useApi<Listing<NetworkRow>>(url),
		rows = of.data?.rows;
	const columns = [
		rankColumn<NetworkRow>(rows, COUNTRY_JUMP),
		...networkColumns(),
		barColumn(rows, COUNTRY_JUMP),
		rateColumn<NetworkRow>(rows),
		changeColumn<NetworkRow>(COUNTRY_JUMP),
		shareColumn<NetworkRow>(),
		sourcesColumn<NetworkRow>(),
	];
	return (
		<Section
			id="networks"
			label={t("networksOnly")}
			unit={list(unitOf(rows), t("againstSpanBefore"))}
			of={of}
			url={url}
			answer={networksAnswer((rows ?? []).slice(0, 10))}
			actions={
				<>
					<CopyRows columns={columns} rows={rows} />
					<CsvLink url={url} />
				</>
			}
		>
			<Table
				label={t("networksOnly")}
				columns={columns}
				of={of}
				id={r => String(r.as_number)}
				hint={12}
				sorts="by"
				mark={r => (hasJumped(r, COUNTRY_JUMP) ? "jumped" : "")}
			/>
			<Pager of={of} />
		</Section>
	);
}

export function Networks({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		params = paramsOf(span, query);
	const url = urlOf("/v1/countries", { ...params, limit: 300 }),
		of = useApi<Listing<CountryRow>>(url),
		rows = of.data?.rows;
	const columns = countryColumns(rows);
	return (
		<>
			<section class="head">
				<h1>{countriesAnswer(rows ?? []) || t("networks")}</h1>
				<Controls span={span} />
			</section>
			<div class="row half">
				<Section id="map" label={t("countries")} unit={unitOf(rows)} of={of} url={url}>
					<WorldMap rows={rows} />
				</Section>
				<Section
					id="countries"
					label={t("countries")}
					unit={list(unitOf(rows), t("againstSpanBefore"))}
					actions={
						<>
							<CopyRows columns={columns} rows={rows} />
							<CsvLink url={url} />
						</>
					}
				>
					<div class="window">
						<Table
							label={t("countries")}
							columns={columns}
							of={of}
							id={r => r.country ?? "-"}
							empty={t("noneCountries")}
							hint={12}
							mark={countryMark}
							sorts="sort"
						/>
					</div>
				</Section>
			</div>
			<div class="row">
				<NetworkList params={params} n={25} />
			</div>
		</>
	);
}

function SourceList({ params, narrow }: { params: Record<string, string | null>; narrow: Record<string, string> }): JSX.Element {
	const url = urlOf("/v1/sources", { ...params, ...narrow, limit: 25 }),
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
					<a href={urlOf("/sources", narrow)}>{t("all")}</a>
					<CopyRows columns={columns} rows={of.data?.rows} />
					<CsvLink url={url} />
				</>
			}
		>
			<Table label={t("sources")} columns={columns} of={of} id={r => r.source} hint={12} sorts="sort" />
		</Section>
	);
}

function RankFacts({ row }: { row: CountryRow | NetworkRow }): JSX.Element {
	return (
		<Facts
			of={[
				[t("rank"), String(row.rank), row.before_rank === null ? null : t("was", row.before_rank)],
				[
					t("perDayAddress"),
					row.rate === null ? null : rate(row.rate),
					row.before_rate === null ? null : t("was", rate(row.before_rate)),
				],
				[t("accesses"), count(row.accesses), share(row.share)],
				[t("sources"), count(row.sources)],
			]}
		/>
	);
}

export function Country({ status, arguments: [code = ""] }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		params = paramsOf(span, query);
	const of = useApi<Listing<CountryRow>>(urlOf("/v1/countries", { ...params, limit: 300 }));
	const row = of.data?.rows.find(r => r.country === code);
	return (
		<>
			<section class="head">
				<Crumbs
					path={[
						[t("networks"), "/networks"],
						[countryName(code), location.pathname],
					]}
				/>
				<div class="name">
					<h1 class="title">{countryName(code)}</h1>
					<span class="soft">{code}</span>
				</div>
				<p class="sentence">{countryAnswer(row, span.name) || (of.data ? t("noneRows") : "\u00a0")}</p>
			</section>
			<div class="row">
				<div>
					{row && <RankFacts row={row} />}
					<Controls span={span} />
				</div>
			</div>
			<div class="row">
				<NetworkList params={params} country={code} n={15} />
			</div>
			<div class="row">
				<SourceList params={params} narrow={{ country: code }} />
			</div>
		</>
	);
}

export function Network({ status, arguments: [as = ""] }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		params = paramsOf(span, query);
	const of = useApi<Listing<NetworkRow>>(urlOf("/v1/networks", { ...params, limit: 1000 }));
	const row = of.data?.rows.find(r => String(r.as_number) === as);
	const name = row?.as_name ?? "";
	return (
		<>
			<section class="head">
				<Crumbs
					path={[
						[t("networks"), "/networks"],
						[`AS${as}`, location.pathname],
					]}
				/>
				<div class="name">
					<h1 class="title">AS{as}</h1>
					<span class="soft">
						{name}
						{row?.country && (
							<>
								{name && ", "}
								<a href={countryHref(row.country)}>{countryName(row.country)}</a>
							</>
						)}
					</span>
				</div>
				<p class="sentence">{networkAnswer(row, span.name) || (of.data ? t("noneRows") : NONE)}</p>
			</section>
			<div class="row">
				<div>
					{row && <RankFacts row={row} />}
					<Controls span={span} />
				</div>
			</div>
			<div class="row">
				<SourceList params={params} narrow={{ as }} />
			</div>
		</>
	);
}
