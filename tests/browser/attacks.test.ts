import { describe, expect, it } from "vitest";
import type { AttackRow, ReplyRow, VectorRow } from "../../web/src/api/types";
import { replyLine } from "../../web/src/parts/attacks";
import {
	attacksAnswer,
	estimateOf,
	estimateText,
	isOn,
	muchText,
	sensitivityAnswer,
	sensitivityNote,
	sensitivityOf,
	victimAnswer,
} from "../../web/src/text/attacks";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");
const AS_OF = Date.parse("2026-11-24T00:13:00Z");
const attack = (minutesAgo: number, long = 600): AttackRow => ({
	victim: "203.0.113.17",
	protocol: "tcp",
	first: AS_OF / 1000 - minutesAgo * 60 - long,
	last: AS_OF / 1000 - minutesAgo * 60,
	packets: 1240,
	bytes: 1,
	max_ppm: 40,
	ports: 1,
	attackers: 3,
	country: null,
	as_number: null,
});
const vector = { kind: "syn_ack", protocol: "tcp", port: 443, packets: 1240, forged: 900, peak_forged: 31 } as VectorRow;

describe("what a telescope can see", () => {
	it("is said first, by its number of addresses", () => {
		expect(sensitivityAnswer(256, "en")).toBe("This telescope sees random-spoofed floods above 8.4 million packets/s.");
		expect(sensitivityAnswer(256, "ja")).toBe("送信元をランダムに詐称した毎秒840万パケット超の攻撃が見えます。");
		expect(sensitivityNote(256, "en")).toContain("Not observable below 14,000 packets/s (256 addresses).");
		expect(sensitivityNote(256, "ja")).toContain("毎秒1.4万パケット未満は観測できません（256アドレス）。");
		expect(sensitivityAnswer(65536, "en")).toContain("above 33,000 packets/s");
	});
	it("is nothing at 16 addresses or fewer, and unknown without their number", () => {
		expect(sensitivityOf(16)).toBe(null);
		expect(sensitivityOf(17)).not.toBe(null);
		expect(sensitivityAnswer(1, "en")).toBe("DoS attacks are not observable with 1 address.");
		expect(sensitivityAnswer(16, "ja")).toBe("16アドレスでは、DoS攻撃は観測できません。");
		expect(sensitivityAnswer(null, "en")).toContain("cannot be told");
		expect(sensitivityNote(16, "en")).toBe("");
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
		expect(e.v).toBeCloseTo(8_388_608, 0);
		expect(e.low / e.v).toBeCloseTo(0.675, 2); // exact Poisson: 20.24 to 42.83 of 30
		expect(e.high / e.v).toBeCloseTo(1.428, 2);
	});
	it("begins at a sixth where SYN+ACKs may have been sent again", () => {
		expect(estimateOf(30, 60, 256, true)!.low * 6).toBeCloseTo(estimateOf(30, 60, 256, false)!.low, 3);
	});
	it("is told of no telescope whose addresses are unknown, and of nothing", () => {
		expect(estimateOf(30, 60, null, false)).toBe(null);
		expect(estimateOf(0, 60, 256, false)).toBe(null);
		expect(estimateText(null, "en")).toBe("–");
		expect(estimateText(estimateOf(30, 60, 256, false), "en")).toBe("5.7–12 million");
		expect(estimateText(estimateOf(30, 60, 256, false), "ja")).toBe("570万–1200万");
	});
});

describe("attacks", () => {
	it("go on until five minutes without a reply", () => {
		expect(isOn(attack(5), AS_OF)).toBe(true);
		expect(isOn(attack(5.1), AS_OF)).toBe(false);
	});
	it("are counted, and none is said only above what can be seen", () => {
		const rows = [attack(0), attack(1), attack(90)];
		expect(plain(attacksAnswer(rows, AS_OF, 256, "24h", "en"))).toBe("2 DoS attacks now, 3 in the last 24 hours.");
		expect(attacksAnswer(rows, AS_OF, 256, "24h", "ja")).toBe("DoS攻撃2件が継続中。直近24時間では3件。");
		expect(attacksAnswer([attack(90)], AS_OF, 256, "24h", "en")).toBe("1 DoS attack in the last 24 hours, none going on.");
		expect(attacksAnswer([], AS_OF, 256, "24h", "en")).toBe("No DoS attack above 8.4 million packets/s in the last 24 hours.");
		expect(attacksAnswer([], AS_OF, 256, "24h", "ja")).toBe("直近24時間に毎秒840万パケット超のDoS攻撃はありません。");
	});
	it("at one victim are told with how long, or undecided", () => {
		const replied = "1,240 replies in the last 24 hours, most about 443/tcp.";
		expect(plain(victimAnswer([vector], [attack(0)], AS_OF, "24h", "en"))).toBe(`Under attack for 10 min. ${replied}`);
		expect(plain(victimAnswer([vector], [attack(60), attack(90, 60)], AS_OF, "24h", "en"))).toBe(
			`Attacked 2 times, last for 10 min. ${replied}`,
		);
		expect(plain(victimAnswer([vector], [], AS_OF, "24h", "en"))).toBe(
			`Undecided: too few, too slow or too short for an attack. ${replied}`,
		);
		expect(victimAnswer([vector], [], AS_OF, "24h", "ja")).toBe(
			"攻撃とは判定できません。直近24時間に跳ね返り1,240パケット、最多は443/tcp。",
		);
		expect(plain(victimAnswer([vector], undefined, AS_OF, "24h", "en"))).toBe(replied); // not known yet
		expect(victimAnswer([], [], AS_OF, "24h", "en")).toBe("Nothing came back from it in this time.");
	});
});

describe("replies by step", () => {
	it("are those of all kinds, and the last step may still grow", () => {
		const row = (minute: number, kind: string, packets: number) =>
			({ moment: new Date(AS_OF + minute * 60_000).toISOString(), kind, packets }) as ReplyRow;
		const line = replyLine("r", [row(0, "rst", 2), row(0, "syn_ack", 3), row(2, "rst", 7)], AS_OF, AS_OF + 150_000, 60_000, new Set());
		const gap = replyLine("r", [row(0, "rst", 2)], AS_OF, AS_OF + 120_000, 60_000, new Set([AS_OF + 60_000]));
		expect(gap.points.map(p => p.v)).toEqual([2, null]);
		expect(line.points.map(p => [p.v, p.part])).toEqual([
			[5, false],
			[0, false],
			[7, true],
		]);
	});
});
