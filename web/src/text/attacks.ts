import type { AttackCountRow, AttackRow, Definition, OnsetRow, SensitivityRow, Verdict } from "../api/types";
import type { RangeName } from "../span";
import { spanName } from "./answers";
import { count, duration, momentOf, NONE } from "./format";
import { lang, type Lang } from "./language";
import { portKey } from "./services";

// What replies to forged packets tell of attacks elsewhere. What a telescope can see depends on how many of the 2^32
// addresses it watches: a flood whose sources are drawn at random is answered to all of them alike.

const INTERNET = 2 ** 32;
const RESENT = 6; // times at most that a host sends a SYN+ACK that nobody answers

// Packets a second at a victim, two figures.
function rough(perSecond: number): number {
	const size = 10 ** Math.floor(Math.log10(Math.max(1, perSecond)) - 1);
	return size < 1 ? Math.round(perSecond) : Math.round(perSecond / size) * size;
}

// 8.4 million, 14,000; 840万, 1.4万
export function muchText(v: number, l = lang()): string {
	if (!Number.isFinite(v)) return NONE;
	const n = rough(v),
		short = (part: number): string => String(Math.round(part * 10) / 10);
	if (l === "ja") return n >= 1e8 ? `${short(n / 1e8)}億` : n >= 1e4 ? `${short(n / 1e4)}万` : count(n);
	return n >= 1e9 ? `${short(n / 1e9)} billion` : n >= 1e6 ? `${short(n / 1e6)} million` : count(n);
}

// The first line of the page: what this telescope can see at all. No row: a sensor's number of addresses is not known.
export function sensitivityAnswer(row: SensitivityRow | undefined, l = lang()): string {
	const n = row?.addresses;
	if (!n)
		return l === "ja"
			? "観測対象IPアドレス数が不明のため、攻撃の規模は推定できません。"
			: "How large attacks are cannot be told: the number of monitored addresses is unknown.";
	if (!row.early_hour)
		return l === "ja"
			? `${count(n)}アドレスでは、DoS攻撃は観測できません。`
			: `DoS attacks are not observable with ${count(n)} ${n === 1 ? "address" : "addresses"}.`;
	return l === "ja"
		? `送信元をランダムに詐称した毎秒${muchText(row.early_hour, l)}パケット超の攻撃が見えます。`
		: `This telescope sees random-spoofed floods above ${muchText(row.early_hour, l)} packets/s.`;
}

export function sensitivityNote(row: SensitivityRow | undefined, l = lang()): string {
	if (!row?.addresses || !row.early_hour || !row.early_minute || !row.published || !row.observable) return "";
	return l === "ja"
		? `検知は1時間以内（毎秒${muchText(row.early_minute, l)}パケット超なら1分以内）。corsaroの定義が攻撃とするのは毎秒${muchText(row.published, l)}パケットから、毎秒${muchText(row.observable, l)}パケット未満は観測できません（${count(row.addresses)}アドレス）。送信元を詐称しない攻撃や反射型攻撃は見えません。`
		: `Noticed within an hour, above ${muchText(row.early_minute, l)} within a minute. corsaro's definitions ask for ${muchText(row.published, l)}; below ${muchText(row.observable, l)} nothing is observable (${count(row.addresses)} addresses). Floods that forge no sources, and reflection, are never seen.`;
}

export interface Estimate {
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
	return { low: (Math.max(0, least) * scale) / (resends ? RESENT : 1), high: most * scale };
}

export const rateOf = (r: Pick<AttackRow, "rate_low" | "rate_high">): Estimate | null =>
	r.rate_low === null || r.rate_high === null ? null : { low: r.rate_low, high: r.rate_high };

// 1.3–15 million; its unit stands beside it.
export function estimateText(e: Estimate | null, l = lang()): string {
	if (!e) return NONE;
	const low = muchText(e.low, l),
		high = muchText(e.high, l),
		unit = (text: string): string => text.replace(/^[\d.,]+/, "");
	return `${unit(low) === unit(high) && l === "en" ? low.slice(0, low.length - unit(low).length) : low}–${high}`;
}

// Seconds without a reply that end an attack, by each definition.
const ENDS: Record<Definition, number> = { monomi: 600, corsaro2: 300, corsaro3: 60 };
export const isOn = (last: number, asOf: number, by: Definition): boolean => asOf - last <= ENDS[by] * 1000;

const plural = (n: number, one: string, many = one + "s"): string => `${count(n)} ${n === 1 ? one : many}`;
const VERDICTS: Record<Verdict, Record<Lang, [one: string, many: string]>> = {
	attack: { en: ["attack", "attacks"], ja: ["攻撃", "攻撃"] },
	scan: { en: ["scan by replies", "scans by replies"], ja: ["応答を装う探索", "応答を装う探索"] },
	reflection: { en: ["reflection at us", "reflections at us"], ja: ["当方への反射", "当方への反射"] },
	undecided: { en: ["undecided case", "undecided cases"], ja: ["判定保留", "判定保留"] },
};

export interface Going {
	confirmed: number;
	watched: number; // onsets that are neither confirmed nor withdrawn
}

function goingParts({ confirmed, watched }: Going, l: Lang): string {
	if (l === "ja")
		return [confirmed ? `攻撃${count(confirmed)}件が継続中` : "", watched ? `${count(watched)}件を監視中` : ""].filter(Boolean).join("、");
	const first = confirmed ? `${plural(confirmed, "attack")} under way` : "",
		then = watched ? (confirmed ? `${count(watched)} under watch` : `${plural(watched, "onset")} under watch`) : "";
	return [first, then].filter(Boolean).join(", ");
}

// What goes on now. Above what it could be seen is said where there is nothing.
export function goingAnswer(going: Going, above: number | null, l = lang()): string {
	const parts = goingParts(going, l),
		size = above ? muchText(above, l) : null;
	if (l === "ja") {
		if (!parts) return `${size ? `毎秒${size}パケット超の` : ""}攻撃は継続していません。`;
		return going.confirmed ? `${parts}。` : `${parts}、確定した攻撃はありません。`;
	}
	if (!parts) return `No attack${size ? ` above ${size} packets/s` : ""} under way.`;
	return going.confirmed ? `${parts}.` : `${parts}, no attack confirmed.`;
}

// 2 attacks under way, 1 under watch; 14 in the last 24 hours. null: whether any goes on is not asked.
export function attacksAnswer(all: number, going: Going | null, above: number | null, name: RangeName | null, l = lang()): string {
	const parts = going ? goingParts(going, l) : "",
		size = above ? muchText(above, l) : null,
		span = spanName(name, l);
	if (l === "ja") {
		if (!all && !parts) return `${span}に${size ? `毎秒${size}パケット超の` : ""}攻撃はありません。`;
		const whole = `${span}では${all ? `${count(all)}件` : "なし"}。`;
		return going ? `${parts || "継続中の攻撃はありません"}。${whole}` : whole;
	}
	if (!all && !parts) return `No attack${size ? ` above ${size} packets/s` : ""} in ${span}.`;
	if (!going) return `${plural(all, "attack")} in ${span}.`;
	return `${parts || "No attack under way"}; ${all ? count(all) : "none"} in ${span}.`;
}

// What a list is of: 14 attacks on 12 victims.
export function listAnswer(verdict: Verdict, row: Pick<AttackCountRow, "attacks" | "victims"> | undefined, l = lang()): string {
	const { attacks = 0, victims = 0 } = row ?? {},
		[one, many] = VERDICTS[verdict][l];
	if (!attacks) return l === "ja" ? `${one}はありません。` : `No ${one}.`;
	return l === "ja" ? `${one}${count(attacks)}件、対象${count(victims)}。` : `${plural(attacks, one, many)}, ${plural(victims, "host")}.`;
}

const KINDS: Record<string, Record<Lang, string>> = {
	syn_ack: { en: "SYN+ACK: an open port", ja: "SYN+ACK（開いたポート）" },
	rst: { en: "RST: a closed port", ja: "RST（閉じたポート）" },
	error: { en: "ICMP error", ja: "ICMPエラー" },
	reply: { en: "answer", ja: "応答" },
};
export const kindName = (kind: string | null, l = lang()): string => (kind === null ? (l === "ja" ? "不明" : "unknown") : (KINDS[kind]?.[l] ?? kind));

// Of so many: one by itself, or a list of them.
export function verdictName(v: Verdict, n = 2, l = lang()): string {
	const name = VERDICTS[v][l][n === 1 ? 0 : 1];
	return l === "ja" ? name : name.charAt(0).toUpperCase() + name.slice(1);
}

const FEW_ADDRESSES = 10,
	NARROW = 3,
	LEAST_FOR_UDP = 64; // as src/detect/incident.c

// Why nobody can tell.
function undecidedWhy(r: AttackRow, l: Lang): string {
	if (r.addresses_seen < FEW_ADDRESSES)
		return l === "ja" ? `応答が届いたのは${count(r.addresses_seen)}アドレスのみ。` : `It replied to ${plural(r.addresses_seen, "address", "addresses")} alone.`;
	if (r.kind === "reply" && r.protocol === "udp" && (r.addresses ?? 0) < LEAST_FOR_UDP)
		return l === "ja" ? "UDPの応答は多くが反射で、アドレスが少ないと区別できません。" : "Who answers by UDP is usually a reflector; so few addresses cannot tell.";
	const ports = { forged: r.ports_seen, attacked: r.ports };
	if (ports.forged <= NARROW)
		return l === "ja" ? "双方のポートが少なく、攻撃とも探索とも言えません。" : "Few ports on both sides: neither a flood nor a scan shows so.";
	return l === "ja" ? "双方のポートが多く、攻撃とも探索とも言えません。" : "Many ports on both sides: neither a flood nor a scan shows so.";
}

// One attack, in words: what it is, for how long, at what, how hard.
export function attackAnswer(r: AttackRow, asOf: number, l = lang()): string {
	const on = isOn(Date.parse(r.last), asOf, "monomi"),
		long = duration((Date.parse(r.last) - Date.parse(r.first)) / 1000, l),
		what = portKey(r.protocol, r.port),
		size = rateOf(r);
	switch (r.verdict) {
		case "attack": {
			const rate = size ? estimateText(size, l) : null;
			if (l === "ja") return `${what}への攻撃${on ? "が継続中" : ""}（${long}）。${rate ? `推定毎秒${rate}パケット。` : ""}`;
			return `${on ? "Under attack" : "Attacked"} at ${what} for ${long}${rate ? `, by an estimated ${rate} packets/s` : ""}.`;
		}
		case "scan":
			return l === "ja"
				? "攻撃ではありません。自らSYN+ACKやRSTを送って探索しています。"
				: "No victim: it sends SYN+ACKs or RSTs itself, to few ports from many.";
		case "reflection":
			return l === "ja"
				? "攻撃の対象ではありません。当方のアドレスを詐称した要求に応答しています。"
				: "No victim: it answers what was asked in our name (reflection at us).";
		case "undecided":
			return (l === "ja" ? "攻撃か否か判定できません。" : "Undecided. ") + undecidedWhy(r, l);
	}
}

// One victim, all that is known of it.
export function victimAnswer(rows: AttackRow[], asOf: number, l = lang()): string {
	const attacks = rows.filter(r => r.verdict === "attack"),
		on = attacks.find(r => isOn(Date.parse(r.last), asOf, "monomi"));
	if (!rows.length)
		return l === "ja"
			? "10パケット以上の跳ね返りは観測していません。"
			: "Never more than a few replies at a time: too little to be judged.";
	if (on) return attackAnswer(on, asOf, l);
	if (!attacks.length) return attackAnswer(rows[0]!, asOf, l);
	const last = attacks.reduce((a, b) => (b.last > a.last ? b : a)),
		long = duration((Date.parse(last.last) - Date.parse(last.first)) / 1000, l),
		what = portKey(last.protocol, last.port);
	if (l === "ja") return `攻撃を${count(attacks.length)}回受けました。直近は${what}へ${long}。`;
	return attacks.length === 1 ? `Attacked once, at ${what} for ${long}.` : `Attacked ${count(attacks.length)} times, last at ${what} for ${long}.`;
}

const EVEN = 0.8; // of what drawing at random comes to: the sample of 64 scatters by a few percent

// Whether the forged addresses are spread over all of ours. Told of 30 packets and more.
export function uniformityText(v: number | null, l = lang()): string {
	if (v === null) return l === "ja" ? "30パケット未満のため不明" : "unknown: fewer than 30 packets";
	const n = v.toFixed(2);
	if (v >= EVEN) return l === "ja" ? `ランダムな詐称に一致（${n}）` : `as drawn at random (${n})`;
	return l === "ja" ? `偏りあり（${n}）` : `not even (${n})`;
}

const OUTCOMES: Record<OnsetRow["outcome"], Record<Lang, string>> = {
	"under watch": { en: "under watch", ja: "監視中" },
	confirmed: { en: "confirmed", ja: "確定" },
	contradicted: { en: "withdrawn: no attack after all", ja: "取り消し（攻撃と一致せず）" },
	silent: { en: "withdrawn: nothing more came", ja: "取り消し（続きなし）" },
};
export const outcomeName = (o: OnsetRow["outcome"], l = lang()): string => OUTCOMES[o][l];

// It is raised once until two hours of silence: what begins meanwhile belongs to the same onset.
export function onsetBeforeText(r: OnsetRow, l = lang()): string {
	const at = momentOf(new Date(r.raised * 1000), undefined, l);
	return l === "ja"
		? `${at}の検知が続いています（2時間途絶えるまで新たに検知しません）。`
		: `Noticed before it began, at ${at}: no new onset before two hours of silence.`;
}

// When the early mode noticed an attack, and what came of that. `packets` are those of when it was settled, else raised.
export function onsetText(r: OnsetRow, l = lang()): string {
	const until = (from: number, to: number): string => duration(to - from, l),
		packets = l === "ja" ? `${count(r.packets)}パケット` : plural(r.packets, "distinct packet");
	const noticed =
		l === "ja"
			? r.raised === r.first
				? "最初の応答と同時に検知"
				: `最初の応答から${until(r.first, r.raised)}で検知`
			: r.raised === r.first
				? "Noticed within a second of its first reply"
				: `Noticed ${until(r.first, r.raised)} after its first reply`;
	const later = r.settled === null ? "" : until(r.raised, r.settled);
	switch (r.outcome) {
		case "under watch":
			return l === "ja" ? `${noticed}（${packets}）、監視中。` : `${noticed}, by ${packets}; under watch.`;
		case "confirmed":
			return l === "ja" ? `${noticed}、その${later}後に確定（${packets}）。` : `${noticed}; confirmed ${later} later, by ${packets}.`;
		case "contradicted":
			return l === "ja" ? `${noticed}、その${later}後に取り消し（${packets}は攻撃と一致せず）。` : `${noticed}; withdrawn ${later} later: ${packets} speak against an attack.`;
		case "silent":
			return l === "ja" ? `${noticed}、続きがなく取り消し（${packets}）。` : `${noticed}; withdrawn, as nothing came after ${packets}.`;
	}
}
