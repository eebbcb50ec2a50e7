import type { JSX } from "preact";
import { Bar, RankChange } from "../charts/bars";
import { onlyCounts } from "../charts/rows";
import type { CountryRow, NetworkRow, PortRow, Ranked, ToolRow } from "../api/types";
import { change, count, NONE, rate, share } from "../text/format";
import { countryName } from "../text/places";
import { portKey, serviceName, toolName } from "../text/services";
import { COUNTRY_JUMP, hasJumped, PORT_JUMP } from "../text/sentences";
import { type Key, list, t } from "../text/strings";
import type { Column } from "./table";

// The columns of rankings: the same on every page.
export const portHref = (protocol: string, port: number): string => `/ports/${protocol}/${port}`;

// What has no port, as ICMP, has no page.
export function PortLink({ protocol, port }: { protocol: string; port: number | null }): JSX.Element {
	return port === null ? <>{portKey(protocol, port)}</> : <a href={portHref(protocol, port)}>{portKey(protocol, port)}</a>;
}
export const countryHref = (code: string): string => `/countries/${code}`;
export const networkHref = (as: number): string => `/networks/${as}`;
export const sourceHref = (address: string): string => `/sources/${encodeURIComponent(address).replace(/%3A/gi, ":")}`;

// Whose rows these are, with a link: to a page of it, or to the same view of it alone.
const Unknown = (): JSX.Element => <span class="soft">{t("unknown")}</span>;
export const countryColumn = <Row extends { country: string | null }>(href: (code: string) => string = countryHref): Column<Row> => ({
	key: "country",
	head: t("country"),
	class: "fill",
	sort: r => countryName(r.country),
	cell: r => (r.country ? <a href={href(r.country)}>{countryName(r.country)}</a> : <Unknown />),
	text: r => r.country,
});
export const networkColumn = <Row extends { as_number: number | null; as_name: string | null }>(href: (as: number) => string = networkHref): Column<Row> => ({
	key: "network",
	head: t("network"),
	class: "cut",
	cell: r =>
		r.as_number === null ? (
			<Unknown />
		) : (
			<a href={href(r.as_number)}>
				AS{r.as_number} <span class="soft">{r.as_name}</span>
			</a>
		),
	text: r => r.as_number,
});
export const sourceColumn = <Row extends { source: string }>(): Column<Row> => ({
	key: "source",
	head: t("address"),
	class: "mono what",
	cell: r => <a href={sourceHref(r.source)}>{r.source}</a>,
	text: r => r.source,
	sort: r => r.source,
});

// What the numbers of a ranking are: rates, or where no divisor is known, accesses.
export const unitOf = (rows: Ranked[] | undefined): string => t(rows && onlyCounts(rows) ? "accessesCount" : "perDayAddress");

const compared = (rows: Ranked[] | undefined): boolean => (rows ?? []).some(r => r.before_rank !== null); // there was a span before

// The same, and with what they are compared, where they are.
export const comparedUnit = (rows: Ranked[] | undefined, than: Key = "againstSpanBefore"): string =>
	rows && !compared(rows) ? unitOf(rows) : list(unitOf(rows), t(than));

export const rankColumn = <Row extends Ranked>(rows: Row[] | undefined, jump: number): Column<Row> => ({
	key: "rank",
	head: t("rank"),
	class: "rank",
	cell: r => (
		<>
			<span class="place">{r.rank}</span>
			{compared(rows) && <RankChange rank={r.rank} before={r.before_rank} hot={hasJumped(r, jump)} />}
		</>
	),
	text: r => r.rank,
	sort: r => -r.rank,
});

export const rateColumn = <Row extends Ranked>(rows: Row[] | undefined): Column<Row> => ({
	key: "rate",
	head: t(rows && onlyCounts(rows) ? "accesses" : "rate"),
	number: true,
	cell: r => (r.rate === null ? count(r.accesses) : rate(r.rate)),
	text: r => r.rate,
	sort: r => r.rate ?? r.accesses,
});

export const changeColumn = <Row extends Ranked>(jump: number): Column<Row> => ({
	key: "change",
	head: t("changeHead"),
	number: true,
	optional: true,
	cell: r => <span class={hasJumped(r, jump) ? "strong" : ""}>{change(r.rate, r.before_rate)}</span>,
	text: r => (r.rate !== null && r.before_rate ? r.rate / r.before_rate - 1 : null),
	sort: r => (r.rate !== null && r.before_rate ? r.rate / r.before_rate : null),
});

export const shareColumn = <Row extends { share: number }>(): Column<Row> => ({
	key: "share",
	head: t("share"),
	number: true,
	class: "soft",
	cell: r => share(r.share),
	text: r => r.share,
	sort: r => r.share,
});

export const sourcesColumn = <Row extends { sources: number | null }>(): Column<Row> => ({
	key: "sources",
	head: t("sources"),
	number: true,
	optional: true,
	cell: r => count(r.sources),
	text: r => r.sources,
	sort: r => r.sources,
});

export function barColumn<Row extends Ranked>(rows: Row[] | undefined, jump: number): Column<Row> {
	const value = (r: Row): number => r.rate ?? r.accesses;
	const most = Math.max(0, ...(rows ?? []).flatMap(r => [value(r), r.before_rate ?? 0]));
	return {
		key: "bar",
		head: compared(rows) ? `❙ ${t("before")}` : "",
		class: "bars",
		cell: r => <Bar now={value(r)} before={r.before_rate} most={most} hot={hasJumped(r, jump)} />,
	};
}

export const portColumn = (): Column<PortRow> => ({
	key: "port",
	head: t("port"),
	class: "what",
	sort: r => r.port,
	cell: r => <PortLink {...r} />,
	text: r => portKey(r.protocol, r.port),
});

export const serviceColumn = (): Column<PortRow> => ({
	key: "service",
	head: t("service"),
	headless: true,
	class: "soft fill service",
	cell: r => serviceName(portKey(r.protocol, r.port)),
	text: r => serviceName(portKey(r.protocol, r.port)),
});

export const networkColumns = (): Column<NetworkRow>[] => [
	{
		key: "as",
		head: t("network"),
		sort: r => r.as_number,
		text: r => r.as_number,
		cell: r =>
			r.as_number === null ? <span class="soft">{NONE}</span> : <a href={networkHref(r.as_number)}>AS{r.as_number}</a>,
	},
	{
		key: "name",
		head: t("name"),
		headless: true,
		class: "soft fill cut",
		text: r => r.as_name,
		sort: r => r.as_name,
		cell: r => [r.as_name ?? (r.as_number === null ? t("unknown") : ""), r.country].filter(Boolean).join(", "),
	},
];

export function toolColumns(rows: ToolRow[] | undefined): Column<ToolRow>[] {
	const most = Math.max(0, ...(rows ?? []).map(r => r.share));
	return [
		{
			key: "tool",
			head: t("tool"),
			cell: r => <a href={`/sources?tool=${encodeURIComponent(r.tool)}`}>{toolName(r.tool)}</a>,
			text: r => r.tool,
			class: "fill",
		},
		{ key: "bar", head: "", class: "bars", cell: r => <Bar now={r.share} most={most} /> },
		{ key: "share", head: t("share"), number: true, cell: r => share(r.share), text: r => r.share },
		{ key: "sources", head: t("sources"), number: true, class: "soft", cell: r => count(r.sources), text: r => r.sources },
	];
}

export const portMark = (r: PortRow): string => (hasJumped(r, PORT_JUMP) ? "jumped" : "");
export const countryMark = (r: CountryRow): string => (hasJumped(r, COUNTRY_JUMP) ? "jumped" : "");
