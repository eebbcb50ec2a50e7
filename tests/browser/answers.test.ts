import { describe, expect, it } from "vitest";
import type { PortDetail, PortRow, RateRow, SensorRow, SourceDetail, SourceRow } from "../../web/src/api/types";
import { gapsOf, rangesOf } from "../../web/src/charts/coverage";
import { countedSeconds, onlyCounts, pointsOf, worthDrawing } from "../../web/src/charts/rows";
import { spanOf } from "../../web/src/span";
import {
	countryAnswer,
	namesOf,
	newPorts,
	portAnswer,
	searchAnswer,
	sensorsAnswer,
	sourceAnswer,
	sourcesAnswer,
	trendAnswer,
} from "../../web/src/text/answers";
import { serviceName, servicesNamed } from "../../web/src/text/services";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");
const span = (rate: number | null, observed = 1, accesses = 10) => ({ rate, observed, accesses }) as RateRow;
const ranked = { rank: 3, before_rank: 9, accesses: 208_000, rate: 812.4, before_rate: 107.3, share: 0.125, sources: 43_012 };

describe("trend", () => {
	it("compares with the span before only where that was observed", () => {
		expect(plain(trendAnswer(span(5412), span(5254), "28d", "en"))).toBe(
			"5,412.0 accesses per address and day in the last 4 weeks, 3.0 % more than in the span before.",
		);
		expect(trendAnswer(span(5412), span(5254), "28d", "ja")).toBe(
			"直近4週間は1アドレス1日あたり5,412.0件。前の期間より3.0%多い。",
		);
		expect(plain(trendAnswer(span(5412), span(2000, 0.2), "28d", "en"))).toBe(
			"5,412.0 accesses per address and day in the last 4 weeks.",
		);
		expect(trendAnswer(span(null), undefined, "24h", "en")).toBe("10 accesses in the last 24 hours.");
		expect(trendAnswer(undefined, undefined, "24h", "en")).toBe("");
	});
});

describe("a port", () => {
	const row = { ...ranked, protocol: "tcp", port: 2323, first: null, countries: 1, networks: 1, sensors: 1 } as PortDetail;
	it("says how much and how it changed", () => {
		expect(portAnswer(row, "24h", "en")).toBe(
			"812.4 accesses per address and day in the last 24 hours, 7.6 times the span before.",
		);
		expect(portAnswer(row, "24h", "ja")).toBe("直近24時間は1アドレス1日あたり812.4件、前の期間の7.6倍。");
		expect(portAnswer({ ...row, rate: null }, "24h", "en")).toBe("208,000 accesses in the last 24 hours.");
		expect(portAnswer({ ...row, before_rate: 0 }, null, "en")).toBe(
			"812.4 accesses per address and day in this time, none in the span before.",
		);
	});
	it("names new ones", () => {
		const other = { ...ranked, protocol: "udp", port: 47808, before_rank: null } as PortRow;
		expect(newPorts([row, other], "en")).toBe("New: 47808/udp.");
		expect(newPorts([row], "ja")).toBe("");
		expect(newPorts([other], "en")).toBe("");
	});
	it("is found by what it is for", () => {
		expect(servicesNamed("ssh")).toContain("22/tcp");
		expect(servicesNamed("録画")).toContain("34567/tcp");
		expect(serviceName("1/tcp")).toBe("");
	});
});

describe("sources", () => {
	const source = (address: string, packets: number) => ({ source: address, packets }) as SourceRow;
	it("lead with who sent most", () => {
		expect(plain(sourcesAnswer([source("198.18.0.1", 30), source("198.18.0.2", 70)], null, false, "en"))).toBe(
			"198.18.0.1 sent most: 30.0 % of the packets of these 2.",
		);
		expect(sourcesAnswer([source("198.18.0.1", 30)], null, true, "ja")).toBe(
			"条件に合う送信元は1件。最多は198.18.0.1（30パケット）。",
		);
		expect(sourcesAnswer([], null, true, "en")).toBe("No source was seen.");
	});
	it("say what one did, and never that it is infected", () => {
		const row = {
			seen: true,
			tools: ["mirai", "unknown"],
			ports: [{ protocol: "tcp", port: 23 }],
			packets: 412,
			days: 1,
		} as unknown as SourceDetail;
		expect(sourceAnswer(row, "en")).toBe("Behaves like Mirai; 412 packets on 1 day, most for 23/tcp.");
		expect(sourceAnswer(row, "ja")).toBe("Mirai型の特徴があり、1日間に412パケットを観測。最多は23/tcp。");
		expect(sourceAnswer({ ...row, seen: false }, "en")).toBe("Nothing was ever seen from this address.");
		expect(namesOf([{ tool: "zmap" }, "nmap", null, 3])).toEqual(["zmap", "nmap"]);
	});
});

describe("countries and searches", () => {
	it("say their share and rank", () => {
		expect(plain(countryAnswer({ ...ranked, country: "VN" }, "7d", "en"))).toBe(
			"812.4 accesses per address and day in the last 7 days: 12.5 % of all, rank 3.",
		);
		expect(countryAnswer({ ...ranked, country: "VN" }, "7d", "ja")).toBe(
			"直近7日は812.4件/日・IPアドレス、全体の12.5%（3位）。",
		);
		expect(searchAnswer("x", [], "en")).toBe("Nothing matches “x”.");
		expect(searchAnswer("x", [{ kind: "port", value: "1/tcp", text: null, accesses: 1 }], "ja")).toBe(
			"「x」に当たるものは1件。",
		);
	});
});

describe("sensors", () => {
	const row = (sensor: string, gaps: number) => ({ sensor, gaps }) as SensorRow;
	it("name who is silent, else count gaps", () => {
		expect(sensorsAnswer([row("a", 0), row("b", 0)], 2, null, true, "en")).toBe("All 2 observe. No gap in this time.");
		expect(plain(sensorsAnswer([row("a", 0), row("b", 0)], 1, { sensor: "b", seconds: 1200 }, true, "en"))).toBe(
			"1 of 2 observe; nothing from b for 20 min.",
		);
		expect(sensorsAnswer([row("a", 2)], 1, null, true, "ja")).toBe("センサーは観測中。欠測は2回。");
		expect(sensorsAnswer([row("a", 0)], 1, null, false, "en")).toBe("Stored captures of 1 sensor. No gap in this time.");
		expect(sensorsAnswer([], 0, null, true, "en")).toBe("There is no sensor.");
	});
	it("have gaps between what they observed, and at its ends", () => {
		const HOUR = 3_600_000,
			at = (h: number): string => new Date(h * HOUR).toISOString();
		const rows = [
			{ sensor: "a", from: at(5), to: at(8), addresses: 1, dropped: 0 },
			{ sensor: "a", from: at(1), to: at(4), addresses: 1, dropped: 0 },
		];
		expect(gapsOf(rangesOf(rows, "a"), HOUR, 10 * HOUR)).toEqual([
			[4 * HOUR, 5 * HOUR],
			[8 * HOUR, 10 * HOUR],
		]);
		expect(gapsOf(rangesOf(rows, "b"), 0, HOUR)).toEqual([[0, HOUR]]);
		expect(gapsOf(rangesOf(rows, "a"), HOUR, 8 * HOUR + 60_000)).toHaveLength(1); // rows are a minute or two behind
	});
});

describe("rows as points", () => {
	const row = (moment: string, observed: number, rate: number | null) => ({ moment, observed, rate, accesses: 3 }) as RateRow;
	it("are missing where nothing was observed, and part at the end", () => {
		const points = pointsOf(
			[row("2026-11-24T00:00:00Z", 1, 5), row("2026-11-24T01:00:00Z", 0, 0), row("2026-11-24T02:00:00Z", 0.3, 7)],
			r => r.rate,
			0,
			"2026-11-24T02:20:00Z",
			3_600_000,
		);
		expect(points.map(p => p.v)).toEqual([5, null, 7]);
		expect(points.map(p => p.part)).toEqual([false, false, true]);
	});
	it("are worth a line from a tenth of its steps on", () => {
		expect(worthDrawing(Array.from({ length: 20 }, (_, i) => row("", i < 2 ? 1 : 0, 1)))).toBe(true);
		expect(worthDrawing(Array.from({ length: 20 }, (_, i) => row("", i < 1 ? 1 : 0, 1)))).toBe(false);
		expect(worthDrawing([])).toBe(false);
	});
	it("are counts only where there is no rate at all", () => {
		expect(onlyCounts([row("", 1, null)])).toBe(true);
		expect(onlyCounts([row("", 1, null), row("", 1, 2)])).toBe(false);
		expect(onlyCounts([])).toBe(false);
	});
});

describe("live counters", () => {
	it("begin where counting began", () => {
		expect(
			countedSeconds([
				[1, 0, 0],
				[2, 0, 0],
				[3, 4, 4],
				[4, 0, 0],
				[5, 2, 2],
			]),
		).toEqual([
			[3, 4, 4],
			[4, 0, 0],
			[5, 2, 2],
		]);
		expect(countedSeconds([[1, 0, 0]])).toEqual([]);
	});
});

describe("the range in the URL", () => {
	const of = (query: string) =>
		spanOf(new URLSearchParams(query), { first: "2026-11-01T00:00:00Z", as_of: "2026-11-24T00:00:00Z", capturing: true });
	it("is a name or two moments; nonsense is the usual one", () => {
		expect(of("")).toMatchObject({ name: "24h", from: "-24h", to: null, step: "10min", before: { from: "-2d", to: "-24h" } });
		expect(of("range=28d")).toMatchObject({ from: "-28d", step: "day", before: { from: "-56d", to: "-28d" } });
		expect(of("range=all")).toMatchObject({ from: "2026-11-01T00:00:00Z", before: null });
		expect(of("range=9y&from=x&to=y")).toMatchObject({ name: "24h" });
		expect(of("from=2026-11-20T00:00:00Z&to=2026-11-20T02:00:00Z")).toMatchObject({
			name: null,
			step: "minute",
			before: { from: "2026-11-19T22:00:00.000Z" },
		});
	});
});
