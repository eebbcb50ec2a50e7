import type { AttackRow, VectorRow } from "../api/types";
import type { RangeName } from "../span";
import { spanName } from "./answers";
import { count, duration } from "./format";
import { lang, type Lang } from "./language";
import { portKey } from "./services";

// What replies to forged packets tell of attacks elsewhere. What a telescope can see depends on how many of the 2^32
// addresses it watches: a flood whose sources are drawn at random is answered to all of them alike.

const INTERNET = 2 ** 32;
const JUDGED = 30, // replies a minute by which corsaro calls it an attack
	NOTICED = 3, // an hour below which nothing is observable
	LEAST = 17; // addresses below which nothing is judged
const RESENT = 6; // times at most that a host sends a SYN+ACK that nobody answers

// Packets a second at a victim, two figures.
function rough(perSecond: number): number {
	const size = 10 ** Math.floor(Math.log10(Math.max(1, perSecond)) - 1);
	return size < 1 ? Math.round(perSecond) : Math.round(perSecond / size) * size;
}

// 8.4 million, 14,000; 840万, 1.4万
export function muchText(v: number, l = lang()): string {
	if (!Number.isFinite(v)) return "–";
	const n = rough(v),
		short = (part: number): string => String(Math.round(part * 10) / 10);
	if (l === "ja") return n >= 1e8 ? `${short(n / 1e8)}億` : n >= 1e4 ? `${short(n / 1e4)}万` : count(n);
	return n >= 1e9 ? `${short(n / 1e9)} billion` : n >= 1e6 ? `${short(n / 1e6)} million` : count(n);
}

export interface Sensitivity {
	judged: number; // packets/s at a victim from which an attack is called one
	noticed: number; // below which it cannot be seen
}

export const sensitivityOf = (addresses: number | null | undefined): Sensitivity | null =>
	addresses && addresses >= LEAST
		? { judged: ((JUDGED / 60) * INTERNET) / addresses, noticed: ((NOTICED / 3600) * INTERNET) / addresses }
		: null;

// The first line of the page: what this telescope can see at all.
export function sensitivityAnswer(addresses: number | null | undefined, l = lang()): string {
	const s = sensitivityOf(addresses);
	if (!addresses)
		return l === "ja"
			? "観測対象IPアドレス数が不明のため、攻撃の規模は推定できません。"
			: "How large attacks are cannot be told: the number of monitored addresses is unknown.";
	if (!s)
		return l === "ja"
			? `${count(addresses)}アドレスでは、DoS攻撃は観測できません。`
			: `DoS attacks are not observable with ${count(addresses)} ${addresses === 1 ? "address" : "addresses"}.`;
	return l === "ja"
		? `送信元をランダムに詐称した毎秒${muchText(s.judged, l)}パケット超の攻撃が見えます。`
		: `This telescope sees random-spoofed floods above ${muchText(s.judged, l)} packets/s.`;
}

export function sensitivityNote(addresses: number | null | undefined, l = lang()): string {
	const s = sensitivityOf(addresses);
	if (!s || !addresses) return "";
	return l === "ja"
		? `毎秒${muchText(s.noticed, l)}パケット未満は観測できません（${count(addresses)}アドレス）。送信元を詐称しない攻撃や反射型攻撃は見えません。`
		: `Not observable below ${muchText(s.noticed, l)} packets/s (${count(addresses)} addresses). Floods that forge no sources, and reflection, are never seen.`;
}

export interface Estimate {
	v: number;
	low: number;
	high: number;
}

const Z = 1.96; // of 95 %

// Packets a second at a victim by so many distinct forged ones here in so many seconds: 95 % of a Poisson count (Byar),
// and where they are SYN+ACKs, down to a sixth, since a host may have sent each six times.
export function estimateOf(
	distinct: number,
	seconds: number,
	addresses: number | null | undefined,
	resends: boolean,
): Estimate | null {
	if (!addresses || distinct <= 0 || seconds <= 0) return null;
	const scale = INTERNET / addresses / seconds,
		k = distinct,
		j = k + 1;
	const least = k * (1 - 1 / (9 * k) - Z / (3 * Math.sqrt(k))) ** 3,
		most = j * (1 - 1 / (9 * j) + Z / (3 * Math.sqrt(j))) ** 3;
	return { v: k * scale, low: (Math.max(0, least) * scale) / (resends ? RESENT : 1), high: most * scale };
}

// 1.3–15 million; its unit stands beside it.
export function estimateText(e: Estimate | null, l = lang()): string {
	if (!e) return "–";
	const low = muchText(e.low, l),
		high = muchText(e.high, l),
		unit = (text: string): string => text.replace(/^[\d.,]+/, "");
	return `${unit(low) === unit(high) && l === "en" ? low.slice(0, low.length - unit(low).length) : low}–${high}`;
}

const ENDS = 300; // s without a reply that end an attack

export const isOn = (r: AttackRow, asOf: number): boolean => asOf - r.last * 1000 <= ENDS * 1000;

const plural = (n: number, one: string, many = one + "s"): string => `${count(n)} ${n === 1 ? one : many}`;

// 2 DoS attacks now, 14 in the last 24 hours.
export function attacksAnswer(
	rows: AttackRow[],
	asOf: number,
	addresses: number | null | undefined,
	name: RangeName | null,
	l = lang(),
): string {
	const on = rows.filter(r => isOn(r, asOf)).length,
		s = sensitivityOf(addresses);
	if (!rows.length) {
		const above = s ? (l === "ja" ? `毎秒${muchText(s.judged, l)}パケット超の` : ` above ${muchText(s.judged, l)} packets/s`) : "";
		return l === "ja" ? `${spanName(name, l)}に${above}DoS攻撃はありません。` : `No DoS attack${above} in ${spanName(name, l)}.`;
	}
	if (l === "ja")
		return on ? `DoS攻撃${count(on)}件が継続中。${spanName(name, l)}では${count(rows.length)}件。` : `${spanName(name, l)}のDoS攻撃は${count(rows.length)}件、継続中はなし。`;
	return on
		? `${plural(on, "DoS attack")} now, ${count(rows.length)} in ${spanName(name, l)}.`
		: `${plural(rows.length, "DoS attack")} in ${spanName(name, l)}, none going on.`;
}

const KINDS: Record<string, Record<Lang, string>> = {
	syn_ack: { en: "SYN+ACK: an open port", ja: "SYN+ACK（開いたポート）" },
	rst: { en: "RST: a closed port", ja: "RST（閉じたポート）" },
	error: { en: "ICMP error", ja: "ICMPエラー" },
	reply: { en: "answer", ja: "応答" },
};
export const kindName = (kind: string | null, l = lang()): string => (kind === null ? (l === "ja" ? "不明" : "unknown") : (KINDS[kind]?.[l] ?? kind));

// One victim: called an attack by how often and how long it replied, or not: then nothing is claimed.
export function victimAnswer(rows: VectorRow[], attacks: AttackRow[] | undefined, asOf: number, name: RangeName | null, l = lang()): string {
	const lead = rows[0];
	if (!lead) return l === "ja" ? "この期間に跳ね返りパケットはありません。" : "Nothing came back from it in this time.";
	const packets = rows.reduce((n, r) => n + r.packets, 0),
		key = portKey(lead.protocol, lead.port);
	const came = l === "ja" ? `${spanName(name, l)}に跳ね返り${count(packets)}パケット、最多は${key}。` : `${plural(packets, "reply", "replies")} in ${spanName(name, l)}, most about ${key}.`;
	if (attacks === undefined) return came;
	if (!attacks.length) return l === "ja" ? `攻撃とは判定できません。${came}` : `Undecided: too few, too slow or too short for an attack. ${came}`;
	const on = attacks.find(r => isOn(r, asOf)),
		last = on ?? attacks.reduce((a, b) => (b.last > a.last ? b : a)),
		long = duration(last.last - last.first, l);
	if (l === "ja") return on ? `攻撃を受けています（${long}）。${came}` : `攻撃を${count(attacks.length)}回受けました（最後は${long}）。${came}`;
	return on ? `Under attack for ${long}. ${came}` : `Attacked ${attacks.length === 1 ? "once" : `${count(attacks.length)} times`}, last for ${long}. ${came}`;
}
