import type { JSX } from "preact";
import { urlOf } from "../api/client";
import type { AttackRow, CorsaroRow, Definition, OnsetRow, ReplyRow } from "../api/types";
import type { Line } from "../charts/lines";
import { STEP } from "../span";
import { estimateOf, estimateText, type Going, isOn, kindName, rateOf, verdictName } from "../text/attacks";
import { count, duration } from "../text/format";
import { countryName } from "../text/places";
import { portKey } from "../text/services";
import { t } from "../text/strings";
import { countryHref, networkHref, PortLink } from "./ranks";
import { momentColumn, numberColumn } from "./steps";
import type { Column } from "./table";
import { Time } from "./time";

// What the pages of attacks and Now share.
const inPath = (address: string): string => encodeURIComponent(address).replace(/%3A/gi, ":");
export const victimHref = (address: string): string => `/attacks/${inPath(address)}`;
export const attackHref = (r: Pick<AttackRow, "victim" | "first">): string => `${victimHref(r.victim)}/${r.first}`;
export const attackUrl = (address: string, of = ""): string => `/v1/attacks/${inPath(address)}${of}`;

export const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

// What is under way: attacks that had a packet in the last ten minutes, and onsets that nothing has settled yet, of two hours at
// the most. Onsets that became attacks are those.
export const GOING_URL = urlOf("/v1/attacks", { verdict: "attack", from: "-10m" });
export const WATCHED_URL = urlOf("/v1/onsets", { outcome: "under_watch", from: "-24h" });
export const DAY_COUNTS_URL = urlOf("/v1/attack-counts", { from: "-24h" });
export const DAY_SEEN_URL = urlOf("/v1/sensitivity", { from: "-24h" });

export interface GoingRow {
	victim: string;
	confirmed: boolean;
	protocol: string;
	port: number | null;
	since: string;
	rate: ReturnType<typeof rateOf>;
	packets: number;
	country: string | null;
	as_number: number | null;
	href: string;
}

export function goingRows(attacks: AttackRow[], onsets: OnsetRow[], asOf: number): GoingRow[] {
	const on = attacks.filter(r => isOn(Date.parse(r.last), asOf, "monomi")),
		known = new Set(on.map(r => r.victim));
	const confirmed = on.map(r => ({ ...r, confirmed: true, since: r.first, rate: rateOf(r), href: attackHref(r) }));
	const watched = onsets
		.filter(r => r.outcome === "under watch" && !known.has(r.victim))
		.map(r => ({ ...r, confirmed: false, since: iso(r.first), rate: null, href: victimHref(r.victim) }));
	confirmed.sort((a, b) => (b.rate?.high ?? 0) - (a.rate?.high ?? 0) || b.packets - a.packets);
	watched.sort((a, b) => Date.parse(b.since) - Date.parse(a.since));
	return [...confirmed, ...watched];
}

export const goingOf = (rows: GoingRow[]): Going => ({
	confirmed: rows.filter(r => r.confirmed).length,
	watched: rows.filter(r => !r.confirmed).length,
});

export const asOfOf = (of: { as_of: string | null } | undefined): number => Date.parse(of?.as_of ?? "") || Date.now();

export function Place({ country, as }: { country: string | null; as: number | null }): JSX.Element {
	return (
		<>
			{as !== null && <a href={networkHref(as)}>AS{as}</a>}
			{country && (
				<>
					{as !== null && " "}
					<a class="soft" href={countryHref(country)}>
						{countryName(country)}
					</a>
				</>
			)}
			{as === null && !country && <span class="soft">{t("unknown")}</span>}
		</>
	);
}

export const State = ({ confirmed }: { confirmed: boolean }): JSX.Element =>
	confirmed ? <span class="bad">▲ {t("confirmed")}</span> : <span class="soft">◇ {t("underWatch")}</span>;

type OfVictim = { victim: string; country: string | null; as_number: number | null };

const placeColumn = <Row extends OfVictim>(): Column<Row> => ({
	key: "place",
	head: t("network"),
	cell: r => <Place country={r.country} as={r.as_number} />,
	text: r => [r.as_number === null ? "" : `AS${r.as_number}`, r.country ?? ""].filter(Boolean).join(" "),
	sort: r => r.as_number,
});

const victimColumn = <Row extends OfVictim>(href: (r: Row) => string): Column<Row> => ({
	key: "victim",
	head: t("victim"),
	class: "mono what",
	cell: r => <a href={href(r)}>{r.victim}</a>,
	text: r => r.victim,
	sort: r => r.victim,
});

const attackedColumn = <Row extends { protocol: string; port: number | null }>(): Column<Row> => ({
	key: "port",
	head: t("attacked"),
	cell: r => <PortLink {...r} />,
	text: r => portKey(r.protocol, r.port),
	sort: r => portKey(r.protocol, r.port),
});

const timeColumn = <Row,>(key: string, head: string, at: (r: Row) => string): Column<Row> => ({
	key,
	head,
	number: true,
	class: "soft",
	cell: r => <Time at={at(r)} />,
	text: at,
	sort: r => Date.parse(at(r)),
});

function lengthColumn<Row>(seconds: (r: Row) => number, on: (r: Row) => boolean): Column<Row> {
	const cell = (r: Row): JSX.Element => (
		<>
			{on(r) && <span class="bad">{t("stillOpen")} </span>}
			{duration(seconds(r))}
		</>
	);
	return { key: "length", head: t("length"), number: true, cell, text: seconds, sort: seconds };
}

export const goingColumns = (): Column<GoingRow>[] => [
	{ key: "state", head: t("state"), cell: r => <State {...r} />, text: r => t(r.confirmed ? "confirmed" : "underWatch") },
	victimColumn(r => r.href),
	attackedColumn(),
	{ key: "estimate", head: t("estimate"), number: true, class: "strong", cell: r => estimateText(r.rate), text: r => estimateText(r.rate) },
	timeColumn("since", t("sinceMoment"), r => r.since),
	numberColumn("packets", t("replies"), r => r.packets),
	placeColumn(),
];

const sure = (r: AttackRow): boolean => r.verdict === "attack";

export function attackColumns(asOf: number, verdicts: boolean): Column<AttackRow>[] {
	const last = (r: AttackRow): number => Date.parse(r.last);
	const columns: Column<AttackRow>[] = [
		victimColumn<AttackRow>(attackHref),
		attackedColumn(),
		{ key: "kind", head: t("replyKind"), class: "soft service", cell: r => kindName(r.kind), text: r => r.kind, sort: r => r.kind },
		{
			key: "estimate",
			head: t("estimate"),
			number: true,
			class: "strong",
			optional: true,
			cell: r => (sure(r) ? estimateText(rateOf(r)) : ""),
			text: r => (sure(r) ? estimateText(rateOf(r)) : null),
			sort: r => (sure(r) ? r.rate : null),
		},
		timeColumn("first", t("fromMoment"), r => r.first),
		lengthColumn(
			r => (last(r) - Date.parse(r.first)) / 1000,
			r => sure(r) && isOn(last(r), asOf, "monomi"),
		),
		numberColumn("packets", t("replies"), r => r.packets, count, "service"),
		numberColumn("distinct", t("forgedDistinct"), r => Math.round(r.distinct_forged), count, "service"),
		numberColumn("ports", t("attackedPorts"), r => r.ports, count, "service"),
		placeColumn(),
	];
	if (verdicts)
		columns.splice(1, 0, {
			key: "verdict",
			head: t("verdict"),
			cell: r => verdictName(r.verdict, 1),
			text: r => r.verdict,
			sort: r => r.verdict,
		});
	return columns;
}

// The rate at a victim, by the busiest minute: SYN+ACKs may have been sent up to six times, so a TCP attack begins lower.
const corsaroEstimate = (r: CorsaroRow, addresses: number | null | undefined): string =>
	estimateText(estimateOf(r.max_ppm, 60, addresses, r.protocol === "tcp"));

export const corsaroColumns = (asOf: number, addresses: number | null | undefined, by: Definition): Column<CorsaroRow>[] => [
	victimColumn(r => victimHref(r.victim)),
	{ key: "protocol", head: t("protocol"), class: "soft", cell: r => r.protocol, text: r => r.protocol, sort: r => r.protocol },
	timeColumn("first", t("fromMoment"), r => iso(r.first)),
	lengthColumn(
		r => r.last - r.first,
		r => isOn(r.last * 1000, asOf, by),
	),
	{
		key: "estimate",
		head: t("estimate"),
		number: true,
		class: "strong",
		cell: r => corsaroEstimate(r, addresses),
		text: r => corsaroEstimate(r, addresses),
		sort: r => r.max_ppm,
	},
	numberColumn("packets", t("replies"), r => r.packets),
	numberColumn("max", t("mostPerMinute"), r => r.max_ppm),
	numberColumn("ports", t("attackedPorts"), r => r.ports, v => (v === 64 ? "≥ 64" : count(v))),
	placeColumn(),
];

export const replyColumns = (): Column<ReplyRow>[] => [
	momentColumn(),
	{ key: "kind", head: t("replyKind"), cell: r => kindName(r.kind), text: r => r.kind, sort: r => r.kind },
	numberColumn("packets", t("replies"), r => r.packets),
	numberColumn("forged", t("forgedDistinct"), r => r.forged),
	numberColumn("victims", t("victims"), r => r.victims),
];

// A count by step: none is zero where sensors observed, and missing where none did.
export function stepLine<Row extends { moment: string }>(
	name: string,
	look: Line["look"],
	rows: Row[],
	value: (r: Row) => number,
	{ from, to, step }: { from: number; to: number; step: number },
	dark: Set<number>,
): Line {
	const by = new Map<number, number>();
	for (const r of rows) {
		const at = Math.floor(Date.parse(r.moment) / step) * step;
		by.set(at, (by.get(at) ?? 0) + value(r));
	}
	const points: Line["points"] = [];
	for (let at = Math.floor(from / step) * step; at < to; at += step)
		points.push({ at, v: by.get(at) ?? (dark.has(at) ? null : 0), part: at + step > to });
	return { name, look, points };
}

// How many of corsaro's attacks went on in each step: rows as those of /v1/attack-steps.
export function underWay(rows: CorsaroRow[], { from, to, step }: { from: number; to: number; step: number }): { moment: string; attacks: number }[] {
	const by = new Map<number, number>();
	for (const r of rows)
		for (let at = Math.floor(Math.max(r.first * 1000, from) / step) * step; at <= r.last * 1000 && at < to; at += step)
			by.set(at, (by.get(at) ?? 0) + 1);
	return [...by].map(([at, attacks]) => ({ moment: new Date(at).toISOString(), attacks }));
}

export const MINUTE = STEP.minute;
