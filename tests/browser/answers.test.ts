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
	spanName,
	trendAnswer,
	yearsAnswer,
} from "../../web/src/text/answers";
import { asText, lasting } from "../../web/src/parts/actions";
import { counted, wholeOf } from "../../web/src/parts/steps";
import { partOf } from "../../web/src/pages/figures";
import { endedOf } from "../../web/src/text/when";
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

describe("years", () => {
	const year = (name: string, total: number | null, part: string | null = null) => ({ name, total, part });
	it("compare the last with the one before that was observed, and say of what part they are", () => {
		const rows = [year("2019", 4192), year("2020", 6506.4)];
		expect(plain(yearsAnswer(rows, "en"))).toBe(
			"6,506.4 accesses per address and day in 2020, 55 % more than in 2019.",
		);
		expect(yearsAnswer(rows, "ja")).toBe("2020年は1アドレス1日あたり6,506.4件。2019年より55%多い。");
		expect(plain(yearsAnswer([...rows, year("2021", null), year("2022", 3253.2, "1 Jan–3 Feb")], "en"))).toBe(
			"3,253.2 accesses per address and day in 2022 (1 Jan–3 Feb), 50 % fewer than in 2020.",
		);
		expect(yearsAnswer([year("2020", 10)], "en")).toBe("10.0 accesses per address and day in 2020.");
		expect(yearsAnswer([year("2020", null)], "ja")).toBe("");
	});
	it("are whole unless rows begin or end in them", () => {
		const stored = { first: "2025-03-02T00:00:00Z", as_of: "2026-11-24T00:00:00Z" };
		expect(plain(partOf(2025, stored, 0) ?? "")).toMatch(/^2 Mar–$/);
		expect(plain(partOf(2026, stored, 0) ?? "")).toMatch(/^–24 Nov$/);
		expect(partOf(2024, stored, 9)).toBe(null);
		expect(partOf(2025, { first: null, as_of: null }, 0)).toBe(null);
	});
});

describe("a span that ended long ago", () => {
	const end = new Date(2021, 2, 12, 18, 8);
	it("is called by its end", () => {
		expect(spanName("24h", "en", end).replace(/\u00a0/g, " ")).toBe("the 24 hours to 12 Mar 2021 18:08");
		expect(spanName("7d", "ja", end)).toBe("2021/3/12 18:08までの7日");
		expect(spanName("7d", "en", null)).toBe("the last 7 days");
		expect(plain(spanName("all", "en", end))).toBe("all the time observed, to 12 Mar 2021 18:08");
	});
	it("is known by what is stored", () => {
		const stored = { as_of: "2021-03-12T18:08:00Z", capturing: false, now: "2026-11-24T00:00:00Z" };
		expect(endedOf(stored)?.toISOString()).toBe("2021-03-12T18:08:00.000Z");
		expect(endedOf({ ...stored, capturing: true })).toBe(null);
		expect(endedOf({ ...stored, now: "2021-03-12T18:30:00Z" })).toBe(null);
	});
});

describe("rows of steps", () => {
	it("come to the rate over what was observed", () => {
		const row = (rate: number | null, address_days: number, observed: number, accesses: number) =>
			({ moment: "m", rate, low: rate, high: 0, without: 0, address_days, observed, accesses, packets: 1, sources: 1 }) as RateRow;
		const whole = wholeOf([row(10, 2, 1, 20), row(null, 0, 0, 0), row(40, 1, 0.5, 40)])!;
		expect([whole.rate, whole.low, whole.accesses, whole.observed]).toEqual([20, 20, 60, 0.5]);
		expect(wholeOf([row(null, 0, 1, 7)])!.rate).toBe(null);
		expect(wholeOf([])).toBe(undefined);
	});
	it("are missing, not zero, where nothing was observed", () => {
		expect(counted({ accesses: 0, observed: 0 })).toBe(null);
		expect(counted({ accesses: 0, observed: 1 })).toBe(0);
	});
});

describe("what leaves a page", () => {
	const columns = [
		{ key: "a", head: "A", cell: () => "", text: (r: number) => r },
		{ key: "eye", head: "", cell: () => "" },
	];
	it("says in each row that it is made up", () => {
		expect(asText(columns, [1, 2])).toBe("A\n1\n2\n");
		expect(asText(columns, [1, 2], true)).toBe("A\tsimulated\n1\ttrue\n2\ttrue\n");
	});
	it("is linked by its moments, not by the reader's now", () => {
		const of = { from: "2026-11-23T00:00:00Z", to: "2026-11-24T00:00:00Z" };
		expect(lasting("total", "/trend?range=24h&sensor=a", of, "http://h")).toBe(
			"http://h/trend?sensor=a&from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z#total",
		);
		expect(lasting("figure", "/trend?figure=2-19", undefined, "http://h")).toBe("http://h/trend?figure=2-19#figure");
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
