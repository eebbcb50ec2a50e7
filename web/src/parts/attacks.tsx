import type { JSX } from "preact";
import { urlOf } from "../api/client";
import type { AttackRow, ReplyRow } from "../api/types";
import type { Line } from "../charts/lines";
import type { Mark } from "../charts/plot";
import { type Asked } from "../span";
import { estimateOf, estimateText, isOn, kindName } from "../text/attacks";
import { count, duration } from "../text/format";
import { countryName } from "../text/places";
import { t } from "../text/strings";
import { countryHref, networkHref } from "./ranks";
import { momentColumn, numberColumn } from "./steps";
import type { Column } from "./table";
import { Time } from "./time";

// What the pages of attacks and Now share.
export const attacksUrl = (span: Pick<Asked, "from" | "to">): string => urlOf("/v1/attacks/corsaro2", { from: span.from, to: span.to });
export const victimHref = (address: string): string => `/attacks/${encodeURIComponent(address).replace(/%3A/gi, ":")}`;

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

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

// The rate at a victim, by the busiest minute: SYN+ACKs may have been sent up to six times, so a TCP attack begins lower.
export const attackEstimate = (r: AttackRow, addresses: number | null | undefined): string =>
	estimateText(estimateOf(r.max_ppm, 60, addresses, r.protocol === "tcp"));

export const victimColumn = <R extends { victim: string }>(): Column<R> => ({
	key: "victim",
	head: t("victim"),
	class: "mono what",
	cell: r => <a href={victimHref(r.victim)}>{r.victim}</a>,
	text: r => r.victim,
	sort: r => r.victim,
});

export function attackColumns(asOf: number, addresses: number | null | undefined): Column<AttackRow>[] {
	return [
		victimColumn(),
		{ key: "protocol", head: t("protocol"), class: "soft", cell: r => r.protocol, text: r => r.protocol, sort: r => r.protocol },
		{ key: "first", head: t("fromMoment"), number: true, cell: r => <Time at={iso(r.first)} />, text: r => iso(r.first), sort: r => r.first },
		{
			key: "length",
			head: t("length"),
			number: true,
			cell: r => (
				<>
					{isOn(r, asOf) && <span class="bad">{t("stillOpen")} </span>}
					{duration(r.last - r.first)}
				</>
			),
			text: r => r.last - r.first,
			sort: r => r.last - r.first,
		},
		{
			key: "estimate",
			head: t("estimate"),
			number: true,
			class: "strong",
			cell: r => attackEstimate(r, addresses),
			text: r => attackEstimate(r, addresses),
			sort: r => r.max_ppm,
		},
		numberColumn("packets", t("replies"), r => r.packets),
		numberColumn("max", t("mostPerMinute"), r => r.max_ppm),
		numberColumn("ports", t("attackedPorts"), r => r.ports, v => (v === 64 ? "≥ 64" : count(v))),
		{
			key: "place",
			head: t("network"),
			cell: r => <Place country={r.country} as={r.as_number} />,
			text: r => [r.as_number === null ? "" : `AS${r.as_number}`, r.country ?? ""].filter(Boolean).join(" "),
			sort: r => r.as_number,
		},
	];
}

export const replyColumns = (): Column<ReplyRow>[] => [
	momentColumn(),
	{ key: "kind", head: t("replyKind"), cell: r => kindName(r.kind), text: r => r.kind, sort: r => r.kind },
	numberColumn("packets", t("replies"), r => r.packets),
	numberColumn("forged", t("forgedDistinct"), r => r.forged),
	numberColumn("victims", t("victims"), r => r.victims),
];

// Replies by step, of all kinds: none is zero where sensors observed, and missing where none did.
export function replyLine(name: string, rows: ReplyRow[], from: number, to: number, step: number, dark: Set<number>): Line {
	const by = new Map<number, number>();
	for (const r of rows) {
		const at = Math.floor(Date.parse(r.moment) / step) * step;
		by.set(at, (by.get(at) ?? 0) + r.packets);
	}
	const points: Line["points"] = [];
	for (let at = Math.floor(from / step) * step; at < to; at += step)
		points.push({ at, v: by.get(at) ?? (dark.has(at) ? null : 0), part: at + step > to });
	return { name, look: "now", points };
}

const MARKED = 5; // more would be no marks

// Where attacks began, the largest of them.
export const attackMarks = (rows: AttackRow[]): Mark[] =>
	[...rows]
		.sort((a, b) => b.max_ppm - a.max_ppm)
		.slice(0, MARKED)
		.map((r, i) => ({ at: r.first * 1000, text: i ? "" : r.victim, kind: "notice" })); // names of several would cover each other
