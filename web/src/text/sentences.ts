import type { CountryRow, NetworkRow, PortRow, Ranked, RateRow, ToolRow } from "../api/types";
import { count, duration, interval, rate, share, shareRound, weekday, NONE } from "./format";
import { lang, type Lang } from "./language";
import { countryName } from "./places";
import { portKey, toolName } from "./services";
import { ended, endText } from "./when";

// The first line of a view or section: its answer in words, a function of rows. Each is written in both languages, not
// translated; null and "" mean that the rows do not bear an answer.

export const PORT_JUMP = 4,
	COUNTRY_JUMP = 3; // ranks risen that are worth a look
const LOUD = 0.002; // of all: among smaller ones, ranks move by chance

export const hasJumped = (r: Ranked, jump: number): boolean =>
	r.before_rank !== null && r.before_rank - r.rank >= jump && r.share >= LOUD;

export interface Before {
	rate: number | null;
	name: Record<Lang, string>;
}

export const beforeDay: Record<Lang, string> = { en: "the day before", ja: "前日" };
export const lastWeekday = (d: Date): Record<Lang, string> => ({ en: `last ${weekday(d, "en")}`, ja: `先週${weekday(d, "ja")}` });

const usable = (v: number | null | undefined): v is number => typeof v === "number" && v > 0;

// 18 % more than last Tuesday
function compared(now: number, before: Before, l: Lang): string {
	if (!usable(before.rate)) return "";
	const part = now / before.rate - 1;
	const size = Math.abs(part);
	if (size < 0.005) return l === "ja" ? `${before.name.ja}と同じ` : `the same as ${before.name.en}`;
	if (part >= 4)
		return l === "ja" ? `${before.name.ja}の${(part + 1).toFixed(1)}倍` : `${(part + 1).toFixed(1)} times ${before.name.en}`;
	const text = shareRound(size, l);
	if (l === "ja") return `${before.name.ja}より${text}${part > 0 ? "多い" : "少ない"}`;
	return `${text} ${part > 0 ? "more" : "fewer"} than ${before.name.en}`;
}

// The port that makes most of a rise (or fall), if it makes a fifth of it.
export function mover(rows: PortRow[], now: number | null, before: number | null): { row: PortRow; part: number } | null {
	if (!usable(now) || !usable(before) || Math.abs(now / before - 1) < 0.03) return null;
	const total = now - before;
	let best: { row: PortRow; part: number } | null = null;
	for (const row of rows) {
		const part = ((row.rate ?? 0) - (row.before_rate ?? 0)) / total;
		if (row.rate !== null && part > (best?.part ?? 0.2)) best = { row, part };
	}
	return best;
}

// Where no rate may be told: 5,044 accesses from 8 sources in 24 hours, or in so many seconds; and when that was.
function countsLead(row: RateRow, seconds: number | null, l: Lang, end: Date | null): string {
	const from = row.sources === null ? "" : count(row.sources),
		when = end && endText(end, l);
	if (l === "ja") {
		const span = seconds === null ? (when ? `${when}までの24時間` : "直近24時間") : `${when ? `${when}までの` : ""}${duration(seconds, l)}`;
		return `${span}のアクセスは${count(row.accesses)}件${from && `、送信元は${from}`}。`;
	}
	const span = seconds === null ? (when ? "the 24 hours" : "24 hours") : duration(seconds, l);
	return `${count(row.accesses)} accesses${from && ` from ${from} ${row.sources === 1 ? "source" : "sources"}`} in ${span}${when ? ` to ${when}` : ""}.`;
}

// Now: 6,506 accesses per address in the last 24 hours, one every 13.3 s; 18 % more than last Tuesday, because of 2323/tcp.
export function nowLead(
	row: RateRow | undefined,
	before: Before,
	because: PortRow | null,
	l = lang(),
	seconds: number | null = null,
	end = ended.get(),
): string {
	if (row && row.rate === null && row.accesses > 0) return countsLead(row, seconds, l, end);
	if (!row || row.rate === null) return "";
	const than = compared(row.rate, before, l),
		cause = because && than ? portKey(because.protocol, because.port) : "";
	if (l === "ja") {
		const start = `${end ? `${endText(end, l)}までの` : "直近"}24時間は1アドレスあたり${rate(row.rate)}件、${interval(row.rate, l)}に1件。`;
		return than ? `${start}${than}です${cause ? `（主因は${cause}）` : ""}。` : start;
	}
	const span = end ? `the 24 hours to ${endText(end, l)}` : "24 hours";
	const start = `${rate(row.rate)} accesses per address in ${span}, one every ${interval(row.rate, l)}`;
	return `${start}${than ? `; ${than}` : ""}${cause ? `, because of ${cause}` : ""}.`;
}

// Rate: One every 13.3 s; up 18 % in a week.
export function rateAnswer(row: RateRow | undefined, before: Before, days: 1 | 7, l = lang()): string {
	if (!row || row.rate === null) return "";
	if (l === "ja") {
		const than = compared(row.rate, before, l);
		return `${interval(row.rate, l)}に1件。${than ? than + "。" : ""}`;
	}
	const start = `One every ${interval(row.rate, l)}`;
	if (!usable(before.rate)) return `${start}.`;
	const part = row.rate / before.rate - 1,
		within = days === 7 ? "in a week" : "in a day";
	if (Math.abs(part) < 0.005) return `${start}; unchanged ${within}.`;
	return `${start}; ${part >= 4 ? `${(part + 1).toFixed(1)} times as many` : `${part > 0 ? "up" : "down"} ${shareRound(Math.abs(part), l)}`} ${within}.`;
}

// Without a divisor: most in one step.
function countsAnswer(rows: RateRow[], l: Lang): string {
	const most = Math.max(0, ...rows.map(r => r.accesses));
	if (!most) return "";
	return l === "ja" ? `最も多い区間で${count(most)}件。` : `At most ${count(most)} in one step.`;
}

// 24 hours: 2323/tcp makes 71 % of the rise; now one every 7.4 s.
export function dayAnswer(
	rows: RateRow[],
	because: { row: PortRow; part: number } | null,
	rises: boolean,
	l = lang(),
	end = ended.get(),
): string {
	const last = [...rows].reverse().find(r => r.rate !== null && (r.observed ?? 1) > 0);
	if (!last) return countsAnswer(rows, l);
	const key = because ? portKey(because.row.protocol, because.row.port) : "";
	const part = because ? shareRound(Math.min(1, because.part), l) : "";
	if (l === "ja")
		return `${because ? `${rises ? "増加" : "減少"}分の${part}は${key}。` : ""}${end ? "最後の" : "直近"}10分は${interval(last.rate, l)}に1件。`;
	const now = `one every ${interval(last.rate, l)}`;
	return because
		? `${key} makes ${part} of the ${rises ? "rise" : "fall"}; ${end ? "at its end" : "now"} ${now}.`
		: `In the last 10 minutes ${now}.`;
}

// 4 weeks: Today is above all 27 days before. The last day may be part of a day.
export function weeksAnswer(rows: RateRow[], l = lang(), end = ended.get()): string {
	const known = rows.filter(r => r.rate !== null && (r.observed ?? 0) > 0),
		today = known[known.length - 1];
	const past = known.slice(0, -1).map(r => r.rate!);
	if (!today || past.length < 2) return "";
	const low = Math.min(...past),
		high = Math.max(...past),
		n = past.length;
	if (l === "ja") {
		const day = end ? "最終日" : "今日";
		if (today.rate! > high) return `${day}は過去${n}日のどの日よりも多い。`;
		return today.rate! < low ? `${day}は過去${n}日のどの日よりも少ない。` : `${day}は過去${n}日の範囲内。`;
	}
	const day = end ? "The last day was" : "Today is";
	if (today.rate! > high) return `${day} above each of the ${n} days before.`;
	return today.rate! < low
		? `${day} below each of the ${n} days before.`
		: `${day} within the range of the ${n} days before.`;
}

const sum = (rows: { share: number }[]): number => rows.reduce((s, r) => s + (r.share || 0), 0);

// What leads a ranking jumped there: the row that rose most, among those shown.
export function jumper<Row extends Ranked>(rows: Row[], jump: number): Row | null {
	let best: Row | null = null;
	for (const r of rows) if (hasJumped(r, jump) && r.rank < (best?.rank ?? Infinity)) best = r;
	return best;
}

// Ports: 2323/tcp went from rank 8 to 1. The top eight make 37 %.
export function portsAnswer(rows: PortRow[], l = lang()): string {
	const lead = rows[0];
	if (!lead) return "";
	const jumped = jumper(rows, PORT_JUMP),
		n = rows.length,
		part = shareRound(sum(rows), l);
	const name = (r: PortRow): string => portKey(r.protocol, r.port);
	if (l === "ja") {
		const start = jumped
			? `${name(jumped)}が${jumped.before_rank}位から${jumped.rank}位に。`
			: `最多は${name(lead)}（${shareRound(lead.share, l)}）。`;
		return n > 1 ? `${start}上位${n}ポートで全体の${part}。` : start;
	}
	const start = jumped
		? `${name(jumped)} went from rank ${jumped.before_rank} to ${jumped.rank}.`
		: `${name(lead)} leads with ${shareRound(lead.share, l)}.`;
	return n > 1 ? `${start} The top ${n} make ${part}.` : start;
}

// Countries: Viet Nam and Brazil jumped.
export function countriesAnswer(rows: CountryRow[], l = lang()): string {
	const known = rows.filter(r => r.country !== null),
		lead = known[0],
		unknown = rows.find(r => r.country === null);
	if (unknown && unknown.share > 0.5)
		return l === "ja"
			? `${share(unknown.share, l)}は国・地域が不明。`
			: `No country is known for ${share(unknown.share, l)}.`;
	if (!lead) return "";
	const jumped = known.filter(r => hasJumped(r, COUNTRY_JUMP)).slice(0, 2);
	const names = jumped.map(r => countryName(r.country, l));
	if (l === "ja")
		return names.length
			? `${names.join("と")}が急増。`
			: `最多は${countryName(lead.country, l)}（${shareRound(lead.share, l)}）。`;
	return names.length
		? `${names.join(" and ")} jumped.`
		: `${countryName(lead.country, l)} leads with ${shareRound(lead.share, l)}.`;
}

export function networksAnswer(rows: NetworkRow[], l = lang()): string {
	const known = rows.filter(r => r.as_number !== null),
		n = known.length,
		part = shareRound(sum(known), l);
	if (!n) return "";
	if (l === "ja") return n > 1 ? `上位${n}つで全体の${part}。` : `全体の${part}。`;
	return n > 1 ? `The top ${n} make ${part}.` : `It makes ${part}.`;
}

// Tools: 16.4 % of sources are Mirai-like.
export function toolsAnswer(rows: ToolRow[], l = lang()): string {
	const lead = rows.find(r => r.tool !== "unknown" && r.tool !== "mixed" && r.sources > 0);
	if (!lead) return "";
	const name = toolName(lead.tool, l),
		part = share(lead.share, l);
	if (l === "ja") return `送信元の${part}は${name}。`;
	return lead.tool === "mirai" ? `${part} of sources are ${name}.` : `${part} of sources use ${name}.`;
}

export { NONE };
