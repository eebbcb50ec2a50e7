import { describe, expect, it } from "vitest";
import type { BotCountRow, BotGrowthRow, BotStepRow } from "../../web/src/api/types";
import { botLines } from "../../web/src/pages/infections";
import { growthAnswer, infectionsAnswer } from "../../web/src/text/infections";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");
const row = (grade: string, sources: number, change: number | null = null, low = change, high = change): BotCountRow => ({
	family: "mirai",
	grade,
	country: null,
	as_number: null,
	as_name: null,
	sources,
	before_sources: null,
	change,
	change_low: low,
	change_high: high,
	syns: 1,
	share: 1,
});

describe("the first line of the infections", () => {
	it("speaks of source addresses, never of devices", () => {
		const rows = [row("C", 14790), row("B", 7951, 0.12, 0.08, 0.16)];
		expect(plain(infectionsAnswer(rows, "24h", "en"))).toBe(
			"7,951 source addresses behaved like Mirai in the last 24 hours, 12 % more than in the span before. 14,790 more may be forged.",
		);
		expect(plain(infectionsAnswer(rows, "24h", "ja"))).toBe(
			"直近24時間にMiraiのように振る舞った送信元は7,951件、前の期間より12%多い。ほか14,790件は詐称の可能性あり。",
		);
	});
	it("does not call chance a change, nor a forged one sure", () => {
		expect(plain(infectionsAnswer([row("B", 1, 0.1, -0.2, 0.5)], "24h", "en"))).toContain("1 source address behaved like Mirai in the last 24 hours, no more nor fewer");
		expect(infectionsAnswer([row("C", 3, 2, 1, 4)], "24h", "en")).toBe("3 source addresses behaved like Mirai in the last 24 hours, possibly forged.");
		expect(infectionsAnswer([row("C", 3)], "24h", "ja")).toContain("詐称の可能性あり");
	});
	it("says that there are none", () => {
		expect(infectionsAnswer([], "7d", "en")).toBe("No source address behaved like a known bot in the last 7 days.");
		expect(infectionsAnswer([], "7d", "ja")).toContain("ありません");
	});
});

describe("growth in words", () => {
	const grown = { family: "mirai", hourly: 0.6, hourly_low: 0.5, hourly_high: 0.7, doubling: 1.5, doubling_low: 1.25, doubling_high: 1.75 } as BotGrowthRow;
	const none = { ...grown, doubling: null, doubling_low: null, doubling_high: null };
	it("tells the doubling time only where the whole interval grows", () => {
		expect(plain(growthAnswer([grown], "en"))).toContain("Mirai: doubles in");
		expect(plain(growthAnswer([grown], "ja"))).toContain("倍増");
		expect(growthAnswer([{ ...none, hourly_low: -0.1 }], "en")).toBe("Mirai: no growth beyond chance.");
		expect(growthAnswer([{ ...none, hourly_low: -0.5, hourly_high: -0.1 }], "en")).toBe("Mirai: becoming fewer.");
		expect(growthAnswer([{ ...none, hourly: null }], "en")).toBe("");
	});
});

describe("lines over time", () => {
	it("are zero where nothing came and missing where nobody looked", () => {
		const rows: BotStepRow[] = [{ moment: "2026-11-24T01:00:00Z", family: "mirai", grade: "B", sources: 5, syns: 9 }];
		const at = Date.parse("2026-11-24T00:00:00Z"),
			hour = 3_600_000;
		const [line] = botLines(rows, at, at + 3 * hour, hour, new Set([at + 2 * hour]));
		expect(line!.points.map(p => p.v)).toEqual([0, 5, null]);
		expect(line!.name).toBe("Mirai B");
	});
});
