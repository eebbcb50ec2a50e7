import { describe, expect, it } from "vitest";
import type { CountryRow, PortRow, RateRow } from "../../web/src/api/types";
import {
	beforeDay,
	countriesAnswer,
	dayAnswer,
	jumper,
	lastWeekday,
	mover,
	networksAnswer,
	nowLead,
	portsAnswer,
	PORT_JUMP,
	rateAnswer,
	toolsAnswer,
	weeksAnswer,
} from "../../web/src/text/sentences";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");
const rateRow = (rate: number | null, more: Partial<RateRow> = {}): RateRow => ({
	moment: "2026-11-24T00:00:00Z",
	accesses: 1,
	packets: 1,
	rate,
	low: null,
	high: null,
	without: null,
	observed: rate === null ? 0 : 1,
	sources: null,
	...more,
});
const ranked = { before_rank: null, accesses: 0, before_rate: null, sources: 0 };
const port = (
	number: number,
	rank: number,
	before_rank: number | null,
	rate: number,
	before_rate: number | null,
	share: number,
): PortRow => ({ ...ranked, protocol: "tcp", port: number, rank, before_rank, rate, before_rate, share });
const country = (code: string | null, rank: number, before_rank: number, share = 0.1): CountryRow => ({
	...ranked,
	country: code,
	rank,
	before_rank,
	rate: 1,
	share,
});
const tuesday = lastWeekday(new Date(2026, 10, 17));
const telnet = port(2323, 1, 8, 812.4, 107.3, 0.125);

describe("the answer of Now", () => {
	it("says rate, interval, change and cause", () => {
		const before = { rate: 5513.9, name: tuesday };
		expect(plain(nowLead(rateRow(6506.4), before, telnet, "en"))).toBe(
			"6,506.4 accesses per address in 24 hours, one every 13.3 s; 18 % more than last Tuesday, because of 2323/tcp.",
		);
		expect(nowLead(rateRow(6506.4), before, telnet, "ja")).toBe(
			"直近24時間は1アドレスあたり6,506.4件、13.3秒に1件。先週火曜より18%多いです（主因は2323/tcp）。",
		);
	});
	it("claims no cause and no change that it does not know", () => {
		expect(plain(nowLead(rateRow(6506.4), { rate: null, name: beforeDay }, telnet, "en"))).toBe(
			"6,506.4 accesses per address in 24 hours, one every 13.3 s.",
		);
		expect(nowLead(rateRow(null, { accesses: 0 }), { rate: 1, name: beforeDay }, null, "en")).toBe("");
		expect(nowLead(undefined, { rate: 1, name: beforeDay }, null, "ja")).toBe("");
	});
	it("is of accesses where no rate may be told", () => {
		expect(nowLead(rateRow(null, { accesses: 5044, sources: 8 }), { rate: null, name: beforeDay }, null, "en")).toBe(
			"5,044 accesses from 8 sources in 24 hours.",
		);
		expect(nowLead(rateRow(null, { accesses: 5044, sources: null }), { rate: null, name: beforeDay }, null, "ja")).toBe(
			"直近24時間のアクセスは5,044件。",
		);
		expect(
			plain(nowLead(rateRow(null, { accesses: 5044, sources: 8 }), { rate: null, name: beforeDay }, null, "en", 120)),
		).toBe("5,044 accesses from 8 sources in 2 min.");
	});
	it("says when that was, of what ended long ago", () => {
		const end = new Date(2026, 10, 24, 15, 10),
			none = { rate: null, name: beforeDay };
		expect(plain(nowLead(rateRow(null, { accesses: 5044, sources: 8 }), none, null, "en", 45, end))).toBe(
			"5,044 accesses from 8 sources in 45 s to 24 Nov 2026 15:10.",
		);
		expect(nowLead(rateRow(null, { accesses: 5044, sources: 8 }), none, null, "ja", 45, end)).toBe(
			"2026/11/24 15:10までの45秒のアクセスは5,044件、送信元は8。",
		);
		expect(plain(nowLead(rateRow(6506.4), none, null, "en", null, end))).toBe(
			"6,506.4 accesses per address in the 24 hours to 24 Nov 2026 15:10, one every 13.3 s.",
		);
		expect(nowLead(rateRow(6506.4), none, null, "ja", null, end)).toContain("2026/11/24 15:10までの24時間は");
		expect(weeksAnswer([1, 2, 3].map(v => rateRow(v)), "en", end)).toBe("The last day was above each of the 2 days before.");
	});
	it("tells a fall, and what is many times more", () => {
		expect(plain(nowLead(rateRow(50), { rate: 100, name: beforeDay }, null, "en"))).toContain(
			"50 % fewer than the day before",
		);
		expect(nowLead(rateRow(50), { rate: 100, name: beforeDay }, null, "ja")).toContain("前日より50%少ないです。");
		expect(plain(nowLead(rateRow(760), { rate: 100, name: beforeDay }, null, "en"))).toContain("7.6 times the day before");
		expect(nowLead(rateRow(760), { rate: 100, name: beforeDay }, null, "ja")).toContain("前日の7.6倍です。");
	});
});

describe("the rate", () => {
	it("is one in so many seconds", () => {
		expect(plain(rateAnswer(rateRow(6506.4), { rate: 5513.9, name: tuesday }, 7, "en"))).toBe(
			"One every 13.3 s; up 18 % in a week.",
		);
		expect(rateAnswer(rateRow(6506.4), { rate: 5513.9, name: tuesday }, 7, "ja")).toBe("13.3秒に1件。先週火曜より18%多い。");
		expect(plain(rateAnswer(rateRow(24), { rate: 24, name: tuesday }, 1, "en"))).toBe(
			"One every 60.0 min; unchanged in a day.",
		);
	});
});

describe("what made a change", () => {
	it("is the port with the largest part of it", () => {
		const found = mover([port(23, 2, 1, 412.6, 398, 0.06), telnet], 6506.4, 5513.9);
		expect(found?.row.port).toBe(2323);
		expect(found?.part).toBeCloseTo(0.71, 2);
		expect(plain(dayAnswer([rateRow(11654)], found, true, "en"))).toBe(
			"2323/tcp makes 71 % of the rise; now one every 7.4 s.",
		);
		expect(dayAnswer([rateRow(11654)], found, true, "ja")).toBe("増加分の71%は2323/tcp。直近10分は7.4秒に1件。");
	});
	it("is nothing when hardly anything changed or no port stands out", () => {
		expect(mover([telnet], 100, 99)).toBeNull();
		expect(mover([port(23, 1, 1, 10, 9, 0.1)], 200, 100)).toBeNull();
		expect(mover([telnet], null, 100)).toBeNull();
	});
	it("skips steps that were not observed", () => {
		expect(plain(dayAnswer([rateRow(8640), rateRow(null)], null, false, "en"))).toBe(
			"In the last 10 minutes one every 10.0 s.",
		);
		expect(dayAnswer([rateRow(null, { accesses: 0 })], null, false, "ja")).toBe("");
		expect(dayAnswer([rateRow(null, { accesses: 7 }), rateRow(null, { accesses: 3 })], null, false, "en")).toBe(
			"At most 7 in one step.",
		);
	});
});

describe("four weeks", () => {
	const days = [rateRow(100), rateRow(null), rateRow(120)];
	it("compare today with the range before, gaps left out", () => {
		expect(weeksAnswer([...days, rateRow(130)], "en")).toBe("Today is above each of the 2 days before.");
		expect(weeksAnswer([...days, rateRow(90)], "en")).toBe("Today is below each of the 2 days before.");
		expect(weeksAnswer([...days, rateRow(110)], "ja")).toBe("今日は過去2日の範囲内。");
		expect(weeksAnswer([rateRow(1)], "en")).toBe("");
	});
});

describe("rankings", () => {
	it("lead with a jump, else with the first", () => {
		const rows = [telnet, port(23, 2, 1, 412.6, 398, 0.063)];
		expect(plain(portsAnswer(rows, "en"))).toBe("2323/tcp went from rank 8 to 1. The top 2 make 19 %.");
		expect(portsAnswer(rows, "ja")).toBe("2323/tcpが8位から1位に。上位2ポートで全体の19%。");
		expect(plain(portsAnswer([port(23, 1, 1, 4, 4, 0.063)], "en"))).toBe("23/tcp leads with 6.3 %.");
		expect(portsAnswer([], "en")).toBe("");
		expect(jumper([port(1, 3, 30, 1, 1, 0.001)], PORT_JUMP)).toBeNull(); // too small to tell from chance
		expect(jumper([port(1, 3, null, 1, null, 0.1)], PORT_JUMP)).toBeNull();
	});
	it("name countries in the language", () => {
		const rows = [country("CN", 1, 1, 0.216), country("VN", 3, 9), country(null, 5, 30), country("BR", 7, 10)];
		expect(countriesAnswer(rows, "en")).toBe("Viet Nam and Brazil jumped.");
		expect(countriesAnswer(rows, "ja")).toBe("ベトナムとブラジルが急増。");
		expect(plain(countriesAnswer(rows.slice(0, 1), "en"))).toBe("China leads with 22 %.");
		expect(countriesAnswer(rows.slice(0, 1), "ja")).toBe("最多は中国（22%）。");
	});
	it("say that most is unknown", () => {
		expect(plain(countriesAnswer([{ ...country(null, 1, 1, 0.995) }, country("JP", 2, 2, 0.005)], "en"))).toBe(
			"No country is known for 99.5 %.",
		);
	});
	it("add shares up", () => {
		const network = { ...ranked, as_number: 64501, as_name: "A", country: "VN", rank: 1, rate: 1, share: 0.0726 };
		expect(plain(networksAnswer([network, network], "en"))).toBe("The top 2 make 15 %.");
		expect(networksAnswer([network, network], "ja")).toBe("上位2つで全体の15%。");
	});
	it("name tools that were recognised, and none when none was", () => {
		const tool = (name: string, share: number) => ({ tool: name, packets: 1, sources: 5, share });
		expect(plain(toolsAnswer([tool("unknown", 0.5), tool("mirai", 0.164)], "en"))).toBe("16.4 % of sources are Mirai-like.");
		expect(toolsAnswer([tool("unknown", 0.5), tool("zmap", 0.185)], "ja")).toBe("送信元の18.5%はZMap。");
		expect(toolsAnswer([tool("unknown", 1)], "en")).toBe("");
	});
});
