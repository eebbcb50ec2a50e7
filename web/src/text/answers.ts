import type {
	CountryRow,
	NetworkRow,
	PortDetail,
	PortRow,
	Ranked,
	RateRow,
	SearchRow,
	SensorRow,
	SourceDetail,
	SourceRow,
} from "../api/types";
import type { RangeName } from "../span";
import { count, duration, rate, share, shareRound } from "./format";
import { lang, type Lang } from "./language";
import { portKey, toolName } from "./services";
import { ended, endText } from "./when";

// The first lines of the views beside Now. As there: functions of rows, written in both languages.

const COMPARABLE = 0.5; // a span observed less than this is compared with nothing
const SPAN: Record<RangeName, Record<Lang, string>> = {
	"24h": { en: "the last 24 hours", ja: "直近24時間" },
	"7d": { en: "the last 7 days", ja: "直近7日" },
	"28d": { en: "the last 4 weeks", ja: "直近4週間" },
	"1y": { en: "the last year", ja: "直近1年" },
	all: { en: "all the time observed", ja: "全観測期間" },
};
const TO: Record<Exclude<RangeName, "all">, Record<Lang, string>> = {
	"24h": { en: "the 24 hours to", ja: "までの24時間" },
	"7d": { en: "the 7 days to", ja: "までの7日" },
	"28d": { en: "the 4 weeks to", ja: "までの4週間" },
	"1y": { en: "the year to", ja: "までの1年" },
};

// "the last 24 hours", or of what ended long ago "the 24 hours to 24 Nov 2026 18:08".
export function spanName(name: RangeName | null, l = lang(), end = ended.get()): string {
	if (name === null) return l === "ja" ? "この期間" : "this time";
	if (end === null) return SPAN[name][l];
	if (name === "all") return l === "ja" ? `${endText(end, l)}までの全観測期間` : `all the time observed, to ${endText(end, l)}`;
	return l === "ja" ? `${endText(end, l)}${TO[name].ja}` : `${TO[name].en} ${endText(end, l)}`;
}

// Trend: In the last 4 weeks 5,412 accesses per address and day, 3 % more than in the span before.
export function trendAnswer(row: RateRow | undefined, before: RateRow | undefined, name: RangeName | null, l = lang()): string {
	if (row && row.rate === null && row.accesses > 0)
		return l === "ja"
			? `${spanName(name, l)}のアクセスは${count(row.accesses)}件。`
			: `${count(row.accesses)} accesses in ${spanName(name, l)}.`;
	if (!row || row.rate === null) return "";
	const was = before && before.rate && (before.observed ?? 1) >= COMPARABLE ? before.rate : null,
		part = was ? row.rate / was - 1 : 0;
	const size = shareRound(Math.abs(part), l),
		same = Math.abs(part) < 0.005;
	if (l === "ja") {
		const than = was === null ? "" : same ? "前の期間と同じ。" : `前の期間より${size}${part > 0 ? "多い" : "少ない"}。`;
		return `${spanName(name, l)}は1アドレス1日あたり${rate(row.rate)}件。${than}`;
	}
	const than =
		was === null
			? ""
			: same
				? ", the same as in the span before"
				: `, ${size} ${part > 0 ? "more" : "fewer"} than in the span before`;
	return `${rate(row.rate)} accesses per address and day in ${spanName(name, l)}${than}.`;
}

// Years: 6,506.4 accesses per address and day in 2020, 55 % more than in 2019. A part of a year is called so.
export function yearsAnswer(rows: { name: string; total: number | null; part: string | null }[], l = lang()): string {
	const known = rows.filter(r => r.total !== null),
		last = known[known.length - 1],
		before = known[known.length - 2];
	if (!last || last.total === null) return "";
	const part = before?.total ? last.total / before.total - 1 : null,
		size = part === null ? "" : shareRound(Math.abs(part), l);
	if (l === "ja") {
		const start = `${last.name}年${last.part ? `（${last.part}）` : ""}は1アドレス1日あたり${rate(last.total)}件。`;
		return part === null || !before ? start : `${start}${before.name}年より${size}${part > 0 ? "多い" : "少ない"}。`;
	}
	const start = `${rate(last.total)} accesses per address and day in ${last.name}${last.part ? ` (${last.part})` : ""}`;
	return part === null || !before ? `${start}.` : `${start}, ${size} ${part > 0 ? "more" : "fewer"} than in ${before.name}.`;
}

// A port: 812.4 accesses per address and day in the last 24 hours, 7.6 times the span before; rank 1.
export function portAnswer(row: PortDetail | undefined, name: RangeName | null, l = lang()): string {
	if (!row) return "";
	const now = row.rate,
		was = row.before_rate;
	const much = now === null ? count(row.accesses) : rate(now);
	let than = "";
	if (now !== null && was) {
		const part = now / was - 1,
			size = shareRound(Math.abs(part), l);
		if (part >= 4)
			than = l === "ja" ? `、前の期間の${(part + 1).toFixed(1)}倍` : `, ${(part + 1).toFixed(1)} times the span before`;
		else if (Math.abs(part) >= 0.005)
			than =
				l === "ja"
					? `、前の期間より${size}${part > 0 ? "多い" : "少ない"}`
					: `, ${size} ${part > 0 ? "more" : "fewer"} than in the span before`;
	} else if (now && was === 0) {
		than = l === "ja" ? "、前の期間はなし" : ", none in the span before";
	}
	if (l === "ja") return `${spanName(name, l)}は${now === null ? "" : "1アドレス1日あたり"}${much}件${than}。`;
	return `${much} accesses${now === null ? "" : " per address and day"} in ${spanName(name, l)}${than}.`;
}

// Sources: 240 sources sent most; the first sent 20,003 packets.
export function sourcesAnswer(rows: SourceRow[], next: string | null, filtered: boolean, l = lang()): string {
	const lead = rows[0],
		n = `${count(rows.length)}${next ? "+" : ""}`;
	if (!lead) return l === "ja" ? "該当する送信元はありません。" : "No source was seen.";
	const total = rows.reduce((s, r) => s + r.packets, 0),
		part = share(lead.packets / Math.max(1, total), l);
	if (l === "ja") {
		const lot = next ? `上位${count(rows.length)}` : `${n}`;
		return filtered
			? `条件に合う送信元は${lot}件。最多は${lead.source}（${count(lead.packets)}パケット）。`
			: `最多は${lead.source}。上位${count(rows.length)}のパケットの${part}。`;
	}
	return filtered
		? `${next ? `The first ${count(rows.length)} sources` : `${n} ${rows.length === 1 ? "source" : "sources"}`} that match; ${lead.source} sent most, ${count(lead.packets)} packets.`
		: `${lead.source} sent most: ${part} of the packets of these ${count(rows.length)}.`;
}

// A source: Mirai-like, seen on 6 days; most for 23/tcp.
export function sourceAnswer(row: SourceDetail | undefined, l = lang()): string {
	if (!row) return "";
	if (!row.seen) return l === "ja" ? "このアドレスからは何も観測していません。" : "Nothing was ever seen from this address.";
	const tools = namesOf(row.tools)
		.filter(n => n !== "unknown")
		.map(n => toolName(n, l));
	const port = row.ports?.[0],
		key = port ? portKey(port.protocol, port.port) : "";
	if (l === "ja") {
		const who = tools.length ? `${tools.join("・")}の特徴があり、` : "ツールは判定できず、";
		return `${who}${row.days ?? "–"}日間に${count(row.packets)}パケットを観測。${key ? `最多は${key}。` : ""}`;
	}
	const who = tools.length ? `Behaves like ${tools.join(", ").replace(/-like/g, "")}` : "No tool recognised";
	return `${who}; ${count(row.packets)} packets on ${row.days ?? "–"} ${row.days === 1 ? "day" : "days"}${key ? `, most for ${key}` : ""}.`;
}

// Names in a list of texts or of rows.
export function namesOf(list: unknown): string[] {
	if (!Array.isArray(list)) return [];
	return list.flatMap(x => {
		if (typeof x === "string") return [x];
		const row = x as Record<string, unknown> | null,
			name = row && (row.tool ?? row.rule ?? row.class ?? row.name);
		return typeof name === "string" ? [name] : [];
	});
}

// Sensors: All five observe. or: 4 of 5 observe; sin-1 has been silent for 20 min.
export function sensorsAnswer(
	rows: SensorRow[],
	up: number,
	silent: { sensor: string; seconds: number } | null,
	live: boolean,
	l = lang(),
): string {
	const n = rows.length,
		gaps = rows.reduce((s, r) => s + r.gaps, 0);
	if (!n) return l === "ja" ? "センサーはありません。" : "There is no sensor.";
	const missing = gaps
		? l === "ja"
			? `欠測は${gaps}回。`
			: ` ${gaps} ${gaps === 1 ? "gap" : "gaps"} in this time.`
		: l === "ja"
			? "欠測なし。"
			: " No gap in this time.";
	if (!live)
		return l === "ja"
			? `${n}台の記録を保存。${missing}`
			: `Stored captures of ${n} ${n === 1 ? "sensor" : "sensors"}.${missing}`;
	if (silent)
		return l === "ja"
			? `${n}台中${up}台が観測中。${silent.sensor}は${duration(silent.seconds, l)}前から記録なし。`
			: `${up} of ${n} observe; nothing from ${silent.sensor} for ${duration(silent.seconds, l)}.`;
	return l === "ja"
		? `${n === 1 ? "センサーは" : `${n}台すべて`}観測中。${missing}`
		: `${n === 1 ? "The sensor observes" : `All ${n} observe`}.${missing}`;
}

export function searchAnswer(q: string, rows: SearchRow[], l = lang()): string {
	if (!q) return l === "ja" ? "何を探しますか。" : "What are you looking for?";
	if (!rows.length) return l === "ja" ? `「${q}」に当たるものはありません。` : `Nothing matches “${q}”.`;
	const n = rows.length;
	return l === "ja" ? `「${q}」に当たるものは${n}件。` : `${n} ${n === 1 ? "match" : "matches"} for “${q}”.`;
}

// A country or a network: 451.6 accesses/day/address in the last 24 hours: 4.1 % of all, rank 3.
function placeAnswer(row: Ranked | undefined, name: RangeName | null, l: Lang): string {
	if (!row) return "";
	const much = row.rate === null ? count(row.accesses) : rate(row.rate),
		unit = row.rate === null;
	return l === "ja"
		? `${spanName(name, l)}は${much}件${unit ? "" : "/日・IPアドレス"}、全体の${share(row.share, l)}（${row.rank}位）。`
		: `${much} accesses${unit ? "" : " per address and day"} in ${spanName(name, l)}: ${share(row.share, l)} of all, rank ${row.rank}.`;
}
export const countryAnswer = (row: CountryRow | undefined, name: RangeName | null, l = lang()): string =>
	placeAnswer(row, name, l);
export const networkAnswer = (row: NetworkRow | undefined, name: RangeName | null, l = lang()): string =>
	placeAnswer(row, name, l);

// What the ports of a span tell in one line beside the ranking: new entries.
export function newPorts(rows: PortRow[], l = lang()): string {
	if (rows.every(r => r.before_rank === null)) return ""; // there was nothing before
	const fresh = rows
		.filter(r => r.before_rank === null)
		.map(r => portKey(r.protocol, r.port))
		.slice(0, 5);
	if (!fresh.length) return "";
	return l === "ja" ? `新たに${fresh.join("、")}。` : `New: ${fresh.join(", ")}.`;
}
