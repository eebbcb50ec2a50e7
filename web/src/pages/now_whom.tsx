import type { JSX } from "preact";
import { type Loaded, urlOf, useApi } from "../api/client";
import type { CountryRow, Listing, NetworkRow, PortRow, RateRow, ToolRow } from "../api/types";
import { Split } from "../charts/bars";
import { WorldMap } from "../charts/map";
import {
	barColumn,
	changeColumn,
	comparedUnit,
	countryColumn,
	countryMark,
	networkColumns,
	portColumn,
	portMark,
	rankColumn,
	rateColumn,
	serviceColumn,
	toolColumns,
	unitOf,
} from "../parts/ranks";
import { Section } from "../parts/section";
import { Table } from "../parts/table";
import { change, rate } from "../text/format";
import { COUNTRY_JUMP, countriesAnswer, hasJumped, networksAnswer, PORT_JUMP, portsAnswer, toolsAnswer } from "../text/sentences";
import { t } from "../text/strings";

// Now, its foot: what was asked for, from where, with which tools.
export const PORTS_URL = urlOf("/v1/ports", { from: "-24h", limit: 8 });
const COUNTRIES_URL = urlOf("/v1/countries", { from: "-24h", limit: 60 });
const NETWORKS_URL = urlOf("/v1/networks", { from: "-24h", limit: 4 });
const TOOLS_URL = urlOf("/v1/tools", { from: "-24h" });
export const WHOM_URLS = [PORTS_URL, COUNTRIES_URL, NETWORKS_URL, TOOLS_URL];

const bands = (r: RateRow | undefined): { look: string; v: number }[] =>
	r
		? [
				{ look: "low", v: r.low ?? 0 },
				{ look: "high", v: r.high ?? 0 },
				{ look: "without", v: r.without ?? 0 },
			]
		: [];

function Bands({
	now,
	before,
	name,
}: {
	now: RateRow | undefined;
	before: RateRow | undefined;
	name: string;
}): JSX.Element | null {
	if (!now || now.rate === null || now.low === null) return null;
	const most = Math.max(now.rate ?? 0, before?.rate ?? 0);
	return (
		<div class="bands">
			<p>
				<span>{t("lastDay")}</span>
				<Split parts={bands(now)} most={most} />
			</p>
			{before && (
				<p class="soft">
					<span>{name}</span>
					<Split parts={bands(before)} most={most} />
				</p>
			)}
			<p class="key">
				{(["low", "high", "without"] as const).map(k => (
					<span key={k} title={t(`${k}Long`)}>
						<i class={`swatch ${k}`} />
						{t(k)} <b>{rate(now[k])}</b> {before && change(now[k], before[k])}
					</span>
				))}
			</p>
		</div>
	);
}

export function Ports({
	ports,
	whole,
	day,
}: {
	ports: Loaded<Listing<PortRow>>;
	whole: RateRow | undefined;
	day: RateRow | undefined;
}): JSX.Element {
	const columns = [
		rankColumn<PortRow>(ports.data?.rows, PORT_JUMP),
		portColumn(),
		serviceColumn(),
		barColumn(ports.data?.rows, PORT_JUMP),
		rateColumn<PortRow>(ports.data?.rows),
		changeColumn<PortRow>(PORT_JUMP),
	];
	return (
		<Section
			id="ports"
			label={t("destinationPorts")}
			unit={comparedUnit(ports.data?.rows, "againstDayBefore")}
			of={ports}
			url={PORTS_URL}
			answer={portsAnswer(ports.data?.rows ?? [])}
			actions={<a href="/ports">{t("allPorts")}</a>}
		>
			<Bands now={whole} before={day} name={t("theDayBefore")} />
			<Table
				label={t("destinationPorts")}
				columns={columns}
				of={ports}
				id={r => `${r.protocol}/${r.port}`}
				empty={t("nonePorts")}
				hint={8}
				mark={portMark}
			/>
		</Section>
	);
}

export function Countries(): JSX.Element {
	const of = useApi<Listing<CountryRow>>(COUNTRIES_URL);
	const columns = [
		rankColumn<CountryRow>(of.data?.rows, COUNTRY_JUMP),
		countryColumn(),
		rateColumn<CountryRow>(of.data?.rows),
		changeColumn<CountryRow>(COUNTRY_JUMP),
	];
	return (
		<Section
			id="countries"
			label={t("countries")}
			unit={unitOf(of.data?.rows)}
			of={of}
			url={COUNTRIES_URL}
			answer={countriesAnswer((of.data?.rows ?? []).slice(0, 8))}
			actions={<a href="/networks">{t("all")}</a>}
		>
			<div class="mapped">
				<WorldMap rows={of.data?.rows} small />
				<Table
					label={t("countries")}
					columns={columns}
					of={of}
					id={r => r.country ?? "-"}
					empty={t("noneCountries")}
					hint={8}
					mark={countryMark}
					rows={of.data?.rows.slice(0, 8)}
				/>
			</div>
		</Section>
	);
}

export function Networks(): JSX.Element {
	const of = useApi<Listing<NetworkRow>>(NETWORKS_URL);
	return (
		<Section
			id="networks"
			label={t("networksOnly")}
			unit={unitOf(of.data?.rows)}
			of={of}
			url={NETWORKS_URL}
			answer={networksAnswer(of.data?.rows ?? [])}
			actions={<a href="/networks">{t("all")}</a>}
		>
			<Table
				label={t("networksOnly")}
				columns={[...networkColumns(), rateColumn<NetworkRow>(of.data?.rows)]}
				of={of}
				id={r => String(r.as_number)}
				hint={4}
				mark={r => (hasJumped(r, COUNTRY_JUMP) ? "jumped" : "")}
			/>
		</Section>
	);
}

export function Tools(): JSX.Element {
	const of = useApi<Listing<ToolRow>>(TOOLS_URL);
	return (
		<Section
			id="tools"
			label={t("tools")}
			unit={t("shareOfSources")}
			of={of}
			url={TOOLS_URL}
			answer={toolsAnswer(of.data?.rows ?? [])}
		>
			<Table
				label={t("tools")}
				columns={toolColumns(of.data?.rows)}
				of={of}
				rows={of.data?.rows.slice(0, 5)}
				id={r => r.tool}
				empty={t("noneTools")}
				hint={4}
			/>
		</Section>
	);
}
