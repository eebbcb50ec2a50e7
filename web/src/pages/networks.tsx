import type { JSX } from "preact";
import { type Loaded, urlOf, useApi } from "../api/client";
import type { CountryRow, Listing, NetworkRow } from "../api/types";
import { mapBounds, WorldMap } from "../charts/map";
import { mapPicture, type Picture, save } from "../charts/png";
import { Actions } from "../parts/actions";
import { Controls, Crumbs, Facts, Pager } from "../parts/controls";
import {
	barColumn,
	changeColumn,
	comparedUnit,
	countryColumn,
	countryHref,
	countryMark,
	networkColumns,
	rankColumn,
	rateColumn,
	shareColumn,
	sourcesColumn,
	unitOf,
} from "../parts/ranks";
import { Listed, SourceList } from "../parts/listed";
import { Section } from "../parts/section";
import { usePlace } from "../router";
import { asked, type Asked, type Stored, useSpan, viewSpan } from "../span";
import { countryAnswer, networkAnswer } from "../text/answers";
import { count, NONE, rate, share } from "../text/format";
import { countryName } from "../text/places";
import { COUNTRY_JUMP, countriesAnswer, hasJumped, networksAnswer } from "../text/sentences";
import { t } from "../text/strings";
import type { ViewProps } from "./index";

const COUNTRIES = 300,
	NETWORKS = 25,
	NETWORKS_OF_COUNTRY = 15,
	SOURCES = 25,
	FIND = 1000; // networks among which one is looked for

const networksUrl = (params: Asked, query: URLSearchParams, limit: number, country?: string): string =>
	urlOf("/v1/networks", { ...params, country, limit, cursor: query.get("cursor") });
const countriesUrl = (params: Asked): string => urlOf("/v1/countries", { ...params, limit: COUNTRIES });
const sourcesUrl = (params: Asked, narrow: Record<string, string>): string => urlOf("/v1/sources", { ...params, ...narrow, limit: SOURCES });

const spanned =
	(urls: (which: string, params: Asked, query: URLSearchParams) => string[]) =>
	([which = ""]: string[], query: URLSearchParams, stored: Stored | undefined): string[] =>
		urls(which, asked(viewSpan(query, stored), query), query);

export const networksAsks = spanned((_, params, query) => [countriesUrl(params), networksUrl(params, query, NETWORKS)]);
export const countryAsks = spanned((code, params, query) => [
	countriesUrl(params),
	networksUrl(params, query, NETWORKS_OF_COUNTRY, code),
	sourcesUrl(params, { country: code }),
]);
export const networkAsks = spanned((as, params) => [
	urlOf("/v1/networks", { ...params, limit: FIND }),
	sourcesUrl(params, { as }),
]);

const countryColumns = (rows: CountryRow[] | undefined) => [
	rankColumn<CountryRow>(rows, COUNTRY_JUMP),
	countryColumn(),
	barColumn(rows, COUNTRY_JUMP),
	rateColumn<CountryRow>(rows),
	changeColumn<CountryRow>(COUNTRY_JUMP),
	shareColumn<CountryRow>(),
	sourcesColumn<CountryRow>(),
];

function NetworkList({ url }: { url: string }): JSX.Element {
	const of = useApi<Listing<NetworkRow>>(url),
		rows = of.data?.rows;
	return (
		<Listed
			id="networks"
			label={t("networksOnly")}
			unit={comparedUnit(rows)}
			of={of}
			url={url}
			answer={networksAnswer((rows ?? []).slice(0, 10))}
			columns={[
				rankColumn<NetworkRow>(rows, COUNTRY_JUMP),
				...networkColumns(),
				barColumn(rows, COUNTRY_JUMP),
				rateColumn<NetworkRow>(rows),
				changeColumn<NetworkRow>(COUNTRY_JUMP),
				shareColumn<NetworkRow>(),
				sourcesColumn<NetworkRow>(),
			]}
			rowId={r => String(r.as_number)}
			hint={12}
			sorts="by"
			mark={r => (hasJumped(r, COUNTRY_JUMP) ? "jumped" : "")}
		>
			<Pager of={of} />
		</Listed>
	);
}

function CountryMap({ of, url }: { of: Loaded<Listing<CountryRow>>; url: string }): JSX.Element {
	const rows = of.data?.rows ?? [],
		unit = unitOf(of.data?.rows);
	const picture = (): Picture =>
		mapPicture(rows, mapBounds(rows), countriesAnswer(rows), unit, Date.parse(of.data?.to ?? "") || Date.now());
	return (
		<Section
			id="map"
			label={t("countries")}
			unit={unit}
			of={of}
			url={url}
			actions={<Actions id="map" url={url} of={of.data} tableHref="#countries" png={rows.length ? () => save(picture()) : undefined} />}
		>
			<WorldMap rows={of.data?.rows} />
		</Section>
	);
}

export function Networks({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		params = asked(span, query);
	const url = countriesUrl(params),
		of = useApi<Listing<CountryRow>>(url),
		rows = of.data?.rows;
	return (
		<>
			<section class="head">
				<h1>{countriesAnswer(rows ?? []) || t("networks")}</h1>
				<Controls span={span} />
			</section>
			<div class="row half">
				<CountryMap of={of} url={url} />
				<Listed
					id="countries"
					class="windowed"
					label={t("countries")}
					unit={comparedUnit(rows)}
					of={of}
					url={url}
					columns={countryColumns(rows)}
					rowId={r => r.country ?? "-"}
					empty={t("noneCountries")}
					hint={12}
					mark={countryMark}
					sorts="sort"
				/>
			</div>
			<div class="row">
				<NetworkList url={networksUrl(params, query, NETWORKS)} />
			</div>
		</>
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
		params = asked(span, query);
	const of = useApi<Listing<CountryRow>>(countriesUrl(params));
	const row = of.data?.rows.find(r => r.country === code);
	return (
		<>
			<section class="head">
				<Crumbs above={[[t("networks"), "/networks"]]} here={countryName(code)} />
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
				<NetworkList url={networksUrl(params, query, NETWORKS_OF_COUNTRY, code)} />
			</div>
			<div class="row">
				<SourceList url={sourcesUrl(params, { country: code })} all={urlOf("/sources", { country: code })} hint={12} />
			</div>
		</>
	);
}

export function Network({ status, arguments: [as = ""] }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		params = asked(span, query);
	const of = useApi<Listing<NetworkRow>>(urlOf("/v1/networks", { ...params, limit: FIND }));
	const row = of.data?.rows.find(r => String(r.as_number) === as);
	const name = row?.as_name ?? "";
	return (
		<>
			<section class="head">
				<Crumbs above={[[t("networks"), "/networks"]]} here={`AS${as}`} />
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
				<SourceList url={sourcesUrl(params, { as })} all={urlOf("/sources", { as })} hint={12} />
			</div>
		</>
	);
}
