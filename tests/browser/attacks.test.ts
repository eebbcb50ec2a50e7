import { describe, expect, it } from "vitest";
import type { AttackRow, CorsaroRow, OnsetRow, ReplyRow, SensitivityRow } from "../../web/src/api/types";
import { ranksOf } from "../../web/src/pages/attacks";
import { attackHref, goingOf, goingRows, stepLine, underWay } from "../../web/src/parts/attacks";
import {
	attackAnswer,
	attacksAnswer,
	estimateOf,
	estimateText,
	goingAnswer,
	isOn,
	listAnswer,
	muchText,
	onsetBeforeText,
	onsetText,
	outcomeName,
	rateOf,
	sensitivityAnswer,
	sensitivityNote,
	uniformityText,
	verdictName,
	victimAnswer,
} from "../../web/src/text/attacks";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");
const AS_OF = Date.parse("2026-11-24T00:13:00Z");
const iso = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");
const attack = (minutesAgo: number, more: Partial<AttackRow> = {}): AttackRow =>
	({
		victim: "203.0.113.17",
		first: iso(AS_OF - minutesAgo * 60_000 - 600_000),
		last: iso(AS_OF - minutesAgo * 60_000),
		verdict: "attack",
		kind: "syn_ack",
		protocol: "tcp",
		port: 443,
		ports: 1,
		packets: 1240,
		rate: 8.4e6,
		rate_low: 5.7e6,
		rate_high: 12e6,
		addresses: 256,
		addresses_seen: 50,
		ports_seen: 60,
		country: null,
		as_number: null,
		...more,
	}) as AttackRow;
const seen: SensitivityRow = { addresses: 256, observable: 13_981, early_hour: 38_374, early_minute: 2_302_403, published: 8_388_608 };
const onset = (outcome: OnsetRow["outcome"], more: Partial<OnsetRow> = {}): OnsetRow =>
	({ victim: "192.0.2.9", first: 1000, raised: 1023, settled: 1063, packets: 12, outcome, ...more }) as OnsetRow;

describe("what a telescope can see", () => {
	it("is said first, by the early mode's figure", () => {
		expect(sensitivityAnswer(seen, "en")).toBe("This telescope sees random-spoofed floods above 38,000 packets/s.");
		expect(sensitivityAnswer(seen, "ja")).toBe("送信元をランダムに詐称した毎秒3.8万パケット超の攻撃が見えます。");
		expect(sensitivityNote(seen, "en")).toBe(
			"Noticed within an hour, above 2.3 million within a minute. corsaro's definitions ask for 8.4 million; below 14,000 nothing is observable (256 addresses). Floods that forge no sources, and reflection, are never seen.",
		);
		expect(sensitivityNote(seen, "ja")).toContain("毎秒230万パケット超なら1分以内");
		expect(sensitivityNote(seen, "ja")).toContain("毎秒1.4万パケット未満は観測できません（256アドレス）。");
	});
	it("is nothing where the early mode raises nobody, and unknown without the number of addresses", () => {
		const few = { ...seen, addresses: 16, early_hour: null, early_minute: null };
		expect(sensitivityAnswer({ ...few, addresses: 1 }, "en")).toBe("DoS attacks are not observable with 1 address.");
		expect(sensitivityAnswer(few, "ja")).toBe("16アドレスでは、DoS攻撃は観測できません。");
		expect(sensitivityNote(few, "en")).toBe("");
		expect(sensitivityAnswer(undefined, "en")).toContain("cannot be told");
		expect(sensitivityAnswer({ ...few, addresses: null }, "ja")).toContain("不明のため");
	});
	it("is written as each language writes large numbers", () => {
		expect(["en", "ja"].map(l => muchText(8.39e6, l as "en" | "ja"))).toEqual(["8.4 million", "840万"]);
		expect(["en", "ja"].map(l => muchText(13_981, l as "en" | "ja"))).toEqual(["14,000", "1.4万"]);
		expect(["en", "ja"].map(l => muchText(4.29e9, l as "en" | "ja"))).toEqual(["4.3 billion", "43億"]);
		expect(["en", "ja"].map(l => muchText(7.2, l as "en" | "ja"))).toEqual(["7", "7"]);
		expect(["en", "ja"].map(l => muchText(12_345_678, l as "en" | "ja"))).toEqual(["12 million", "1200万"]);
	});
});

describe("the rate at a victim", () => {
	it("is a range that holds what was counted", () => {
		const e = estimateOf(30, 60, 256, false)!;
		expect(e.low / 8_388_608).toBeCloseTo(0.675, 2); // exact Poisson: 20.24 to 42.83 of 30
		expect(e.high / 8_388_608).toBeCloseTo(1.428, 2);
	});
	it("begins at a sixth where SYN+ACKs may have been sent again", () => {
		expect(estimateOf(30, 60, 256, true)!.low * 6).toBeCloseTo(estimateOf(30, 60, 256, false)!.low, 3);
	});
	it("is told of no telescope whose addresses are unknown, and of nothing", () => {
		expect(estimateOf(30, 60, null, false)).toBe(null);
		expect(estimateOf(0, 60, 256, false)).toBe(null);
		expect(estimateText(null, "en")).toBe("–");
		expect(estimateText(rateOf(attack(0)), "en")).toBe("5.7–12 million");
		expect(estimateText(rateOf(attack(0)), "ja")).toBe("570万–1200万");
		expect(rateOf(attack(0, { rate_low: null }))).toBe(null);
	});
});

describe("what goes on", () => {
	it("ends by each definition's own silence", () => {
		const ago = (seconds: number): number => AS_OF - seconds * 1000;
		expect([600, 601].map(s => isOn(ago(s), AS_OF, "monomi"))).toEqual([true, false]);
		expect([300, 301].map(s => isOn(ago(s), AS_OF, "corsaro2"))).toEqual([true, false]);
		expect([60, 61].map(s => isOn(ago(s), AS_OF, "corsaro3"))).toEqual([true, false]);
	});
	it("is attacks, the hardest first, then onsets at others that nothing has settled", () => {
		const rows = goingRows(
			[attack(1), attack(2, { victim: "198.51.100.2", rate_high: 30e6 }), attack(11, { victim: "192.0.2.1" })],
			[
				onset("under watch", { victim: "203.0.113.17" }), // is among the attacks
				onset("under watch"),
				onset("under watch", { victim: "192.0.2.10", first: 2000 }),
				onset("confirmed", { victim: "192.0.2.11" }),
			],
			AS_OF,
		);
		expect(rows.map(r => [r.victim, r.confirmed])).toEqual([
			["198.51.100.2", true],
			["203.0.113.17", true],
			["192.0.2.10", false],
			["192.0.2.9", false],
		]);
		expect(goingOf(rows)).toEqual({ confirmed: 2, watched: 2 });
		expect(rows[1]!.href).toBe("/attacks/203.0.113.17/2026-11-24T00:02:00Z");
		expect(rows[3]!.href).toBe("/attacks/192.0.2.9");
		expect(attackHref(attack(0, { victim: "2001:db8::1" }))).toBe("/attacks/2001:db8::1/2026-11-24T00:03:00Z");
	});
	it("is said in both languages, and none only above what can be seen", () => {
		const say = (confirmed: number, watched: number): string[] => [
			goingAnswer({ confirmed, watched }, 38_374, "en"),
			goingAnswer({ confirmed, watched }, 38_374, "ja"),
		];
		expect(say(2, 1)).toEqual(["2 attacks under way, 1 under watch.", "攻撃2件が継続中、1件を監視中。"]);
		expect(say(1, 0)).toEqual(["1 attack under way.", "攻撃1件が継続中。"]);
		expect(say(0, 2)).toEqual(["2 onsets under watch, no attack confirmed.", "2件を監視中、確定した攻撃はありません。"]);
		expect(say(0, 0)).toEqual(["No attack above 38,000 packets/s under way.", "毎秒3.8万パケット超の攻撃は継続していません。"]);
	});
	it("stands beside how many there were", () => {
		const say = (all: number, confirmed: number, watched: number, l: "en" | "ja"): string =>
			plain(attacksAnswer(all, { confirmed, watched }, 38_374, "24h", l));
		expect(say(14, 2, 1, "en")).toBe("2 attacks under way, 1 under watch; 14 in the last 24 hours.");
		expect(say(14, 2, 1, "ja")).toBe("攻撃2件が継続中、1件を監視中。直近24時間では14件。");
		expect(say(14, 0, 0, "en")).toBe("No attack under way; 14 in the last 24 hours.");
		expect(say(14, 0, 0, "ja")).toBe("継続中の攻撃はありません。直近24時間では14件。");
		expect(say(0, 0, 1, "en")).toBe("1 onset under watch; none in the last 24 hours.");
		expect(say(0, 0, 0, "en")).toBe("No attack above 38,000 packets/s in the last 24 hours.");
		expect(say(0, 0, 0, "ja")).toBe("直近24時間に毎秒3.8万パケット超の攻撃はありません。");
		expect(attacksAnswer(3, null, null, null, "en")).toBe("3 attacks in this time.");
		expect(attacksAnswer(3, null, null, null, "ja")).toBe("この期間では3件。");
	});
});

describe("one attack", () => {
	it("is told by what was attacked, for how long, how hard", () => {
		expect(plain(attackAnswer(attack(0), AS_OF, "en"))).toBe("Under attack at 443/tcp for 10 min, by an estimated 5.7–12 million packets/s.");
		expect(attackAnswer(attack(0), AS_OF, "ja")).toBe("443/tcpへの攻撃が継続中（10分）。推定毎秒570万–1200万パケット。");
		expect(plain(attackAnswer(attack(60, { rate_low: null, rate_high: null }), AS_OF, "en"))).toBe("Attacked at 443/tcp for 10 min.");
		expect(attackAnswer(attack(60), AS_OF, "ja")).toBe("443/tcpへの攻撃（10分）。推定毎秒570万–1200万パケット。");
	});
	it("is none where the verdict says so, and why nobody can tell is said", () => {
		const say = (more: Partial<AttackRow>, l: "en" | "ja" = "en"): string => attackAnswer(attack(0, more), AS_OF, l);
		expect(say({ verdict: "scan" })).toContain("it sends SYN+ACKs or RSTs itself");
		expect(say({ verdict: "reflection" })).toContain("asked in our name");
		expect(say({ verdict: "reflection" }, "ja")).toContain("当方のアドレスを詐称");
		expect(say({ verdict: "undecided", addresses_seen: 3 })).toBe("Undecided. It replied to 3 addresses alone.");
		expect(say({ verdict: "undecided", addresses_seen: 3 }, "ja")).toBe("攻撃か否か判定できません。応答が届いたのは3アドレスのみ。");
		expect(say({ verdict: "undecided", kind: "reply", protocol: "udp", addresses: 32, addresses_seen: 20 })).toContain("usually a reflector");
		expect(say({ verdict: "undecided", ports_seen: 3 })).toContain("Few ports on both sides");
		expect(say({ verdict: "undecided", ports_seen: 60, ports: 9 })).toContain("Many ports on both sides");
	});
	it("is one of all on its victim", () => {
		const late = attack(60, { port: 80 }),
			soon = attack(90);
		expect(plain(victimAnswer([attack(0), soon], AS_OF, "en"))).toContain("Under attack at 443/tcp for 10 min");
		expect(plain(victimAnswer([late, soon], AS_OF, "en"))).toBe("Attacked 2 times, last at 80/tcp for 10 min.");
		expect(victimAnswer([late, soon], AS_OF, "ja")).toBe("攻撃を2回受けました。直近は80/tcpへ10分。");
		expect(plain(victimAnswer([attack(0, { verdict: "undecided", addresses_seen: 2 }), soon], AS_OF, "en"))).toBe("Attacked once, at 443/tcp for 10 min.");
		expect(victimAnswer([attack(0, { verdict: "undecided", addresses_seen: 2 })], AS_OF, "en")).toContain("Undecided.");
		expect(victimAnswer([], AS_OF, "en")).toContain("too little to be judged");
	});
	it("tells how even forged addresses are of thirty packets and more", () => {
		expect(uniformityText(0.97, "en")).toBe("as drawn at random (0.97)");
		expect(uniformityText(0.31, "ja")).toBe("偏りあり（0.31）");
		expect(uniformityText(null, "en")).toBe("unknown: fewer than 30 packets");
	});
	it("has an onset: when it was noticed, by how much, what came of it", () => {
		expect(plain(onsetText(onset("confirmed"), "en"))).toBe("Noticed 23 s after its first reply; confirmed 40 s later, by 12 distinct packets.");
		expect(onsetText(onset("confirmed"), "ja")).toBe("最初の応答から23秒で検知、その40秒後に確定（12パケット）。");
		expect(plain(onsetText(onset("under watch", { settled: null, packets: 4, raised: 1000 }), "en"))).toBe(
			"Noticed within a second of its first reply, by 4 distinct packets; under watch.",
		);
		expect(onsetText(onset("silent"), "en")).toContain("withdrawn, as nothing came after 12 distinct packets");
		expect(plain(onsetText(onset("contradicted"), "en"))).toContain("withdrawn 40 s later");
		expect(onsetBeforeText(onset("confirmed"), "en")).toContain("no new onset before two hours of silence");
		expect(outcomeName("silent", "ja")).toBe("取り消し（続きなし）");
	});
	it("is one of a list", () => {
		expect(listAnswer("attack", { attacks: 149, victims: 125 }, "en")).toBe("149 attacks, 125 hosts.");
		expect(listAnswer("undecided", { attacks: 1, victims: 1 }, "en")).toBe("1 undecided case, 1 host.");
		expect(listAnswer("scan", undefined, "en")).toBe("No scan by replies.");
		expect(listAnswer("attack", { attacks: 149, victims: 125 }, "ja")).toBe("攻撃149件、対象125。");
		expect([verdictName("attack", 1, "en"), verdictName("attack", 2, "en"), verdictName("undecided", 1, "ja")]).toEqual(["Attack", "Attacks", "判定保留"]);
	});
});

describe("steps", () => {
	it("are those of all kinds, and the last one may still grow", () => {
		const row = (minute: number, kind: string, packets: number) =>
			({ moment: new Date(AS_OF + minute * 60_000).toISOString(), kind, packets }) as ReplyRow;
		const line = (rows: ReplyRow[], to: number, dark: number[]) =>
			stepLine("r", "now", rows, r => r.packets, { from: AS_OF, to: AS_OF + to, step: 60_000 }, new Set(dark));
		expect(line([row(0, "rst", 2)], 120_000, [AS_OF + 60_000]).points.map(p => p.v)).toEqual([2, null]);
		expect(line([row(0, "rst", 2), row(0, "syn_ack", 3), row(2, "rst", 7)], 150_000, []).points.map(p => [p.v, p.part])).toEqual([
			[5, false],
			[0, false],
			[7, true],
		]);
	});
	const corsaro = (first: number, last: number, more: Partial<CorsaroRow> = {}): CorsaroRow =>
		({ victim: "192.0.2.1", protocol: "tcp", first, last, packets: 40, country: "NL", as_number: 64500, ...more }) as CorsaroRow;
	it("count corsaro's attacks while they go on, within the span", () => {
		const span = { from: 120_000, to: 300_000, step: 60_000 };
		expect(underWay([corsaro(0, 130), corsaro(185, 240), corsaro(299, 400)], span).map(r => [Date.parse(r.moment), r.attacks])).toEqual([
			[120_000, 1],
			[180_000, 1],
			[240_000, 2],
		]);
	});
	it("rank corsaro's attacks as the server does ours", () => {
		const rows = [corsaro(0, 1), corsaro(5, 6, { protocol: "udp" }), corsaro(2, 3, { victim: "192.0.2.2", country: null, as_number: null })];
		expect(ranksOf(rows, "country").map(r => [r.country, r.attacks, r.victims, Math.round(r.share * 100)])).toEqual([
			["NL", 2, 1, 67],
			[null, 1, 1, 33],
		]);
		expect(ranksOf(rows, "port").map(r => [r.protocol, r.port, r.attacks])).toEqual([
			["tcp", null, 2],
			["udp", null, 1],
		]);
	});
});
