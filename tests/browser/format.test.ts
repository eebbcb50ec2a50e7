import { describe, expect, it } from "vitest";
import { axisOf, heightOf, ticksOf } from "../../web/src/charts/scale";
import { change, count, duration, interval, loss, moment, rate, share } from "../../web/src/text/format";
import { TABLE } from "../../web/src/text/strings";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");

describe("numbers", () => {
	it("have a true minus and grouped thousands, and absent ones are no zero", () => {
		expect(count(1660303)).toBe("1,660,303");
		expect(count(-5)).toBe("\u22125");
		expect(count(null)).toBe("\u2013");
		expect(rate(6506.44)).toBe("6,506.4");
		expect(rate(0.0123)).toBe("0.012");
		expect(rate(0)).toBe("0.0");
		expect(rate(NaN)).toBe("\u2013");
	});
	it("say parts and changes as each language does", () => {
		expect(plain(share(0.164, "en"))).toBe("16.4 %");
		expect(share(0.164, "ja")).toBe("16.4%");
		expect(plain(share(0.0001, "en"))).toBe("< 0.1 %");
		expect(plain(change(118, 100, "en"))).toBe("+18.0 %");
		expect(change(99, 100, "ja")).toBe("\u22121.0%");
		expect(plain(change(100, 100, "en"))).toBe("±0.0 %");
		expect(change(760, 100, "en")).toBe("×7.6");
		expect(change(7, 0, "en")).toBe("\u2013");
		expect(plain(loss(0.0002, "en"))).toBe("0.02 %");
		expect(loss(0.0000001, "ja")).toBe("<0.01%");
	});
	it("measure time in its largest units", () => {
		expect(plain(interval(6506.4, "en"))).toBe("13.3 s");
		expect(interval(6506.4, "ja")).toBe("13.3秒");
		expect(plain(duration(14040, "en"))).toBe("3 h 54 min");
		expect(duration(14040, "ja")).toBe("3時間54分");
		expect(plain(duration(0, "en"))).toBe("0 s");
		expect(duration(null, "en")).toBe("\u2013");
	});
});

describe("moments", () => {
	const now = new Date(2026, 10, 24, 20, 0);
	const text = (d: Date, l: "en" | "ja" = "en") => plain(moment(d.toISOString(), now, l));
	it("are as short as they may be, but never without their day", () => {
		expect(text(new Date(2026, 10, 24, 18, 8))).toBe("18:08");
		expect(text(new Date(2026, 10, 23, 18, 8))).toBe("23 Nov 18:08");
		expect(text(new Date(2021, 2, 12, 18, 8))).toBe("12 Mar 2021 18:08");
		expect(text(new Date(2021, 2, 12, 18, 8), "ja")).toBe("2021/3/12 18:08");
	});
	it("of a short capture of another year are named with it on its axis", () => {
		const to = new Date(2021, 2, 12, 18, 8).getTime();
		expect(plain(ticksOf(to - 45_000, to, "en")[0]!.text)).toBe("12 Mar 2021 18:08");
		expect(plain(ticksOf(to - 7_200_000, to, "en")[0]!.text)).toBe("12 Mar 2021 16:30");
	});
});

describe("axes", () => {
	it("begin at zero and have five lines at most, whatever the values", () => {
		for (const v of [0.013, 0.9, 1, 3, 7, 11, 49, 51, 99, 101, 812, 11654, 123456, 9.9e9]) {
			const axis = axisOf(v);
			expect(axis.lines[0]).toBe(0);
			expect(axis.lines.length).toBeLessThanOrEqual(5);
			expect(axis.max).toBeGreaterThanOrEqual(v);
			expect(axis.max).toBeLessThanOrEqual(v * 2);
			expect(heightOf(axis, axis.max)).toBe(100);
		}
	});
	it("are powers of ten where they are logarithmic", () => {
		const axis = axisOf(9000, true, 12);
		expect(axis.lines).toEqual([10, 100, 1000, 10000]);
		expect(heightOf(axis, 0)).toBe(0);
	});
	it("name the last moment, in order and apart from each other", () => {
		const to = Date.UTC(2026, 10, 24, 0, 14),
			HOUR = 3_600_000;
		for (const hours of [0.4, 2, 7, 24, 48, 168, 672, 8760, 60000]) {
			const ticks = ticksOf(to - hours * HOUR, to, "en");
			expect(ticks[ticks.length - 1]!.at).toBe(100);
			expect(ticks.length).toBeLessThanOrEqual(15);
			for (let i = 1; i < ticks.length; i++) expect(ticks[i]!.at - ticks[i - 1]!.at).toBeGreaterThan(5);
		}
	});
});

describe("strings", () => {
	it("are there in both languages and take the same values", () => {
		for (const [key, both] of Object.entries(TABLE)) {
			const holes = (text: string) => (text.match(/\{\d\}/g) ?? []).sort().join();
			expect(both.en.length * both.ja.length, key).toBeGreaterThan(0);
			expect(holes(both.ja), key).toBe(holes(both.en));
		}
	});
});
