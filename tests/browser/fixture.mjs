// A test's fixture, never shipped: answers the API with numbers that are made up, and serves the built pages as the
// program does. `node fixture.mjs [PORT] [SCENE]` to look at the pages; scenes: full, empty, failing, slow, bare, real.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
export const PAGES = process.env.MONOMI_PAGES ?? join(HERE, "../../build/web");
export const NOW = Date.parse("2026-11-24T00:14:20Z"),
	AS_OF = Date.parse("2026-11-24T00:13:00Z");
const MINUTE = 60_000,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR,
	ADDRESSES = 256;
const STEPS = { minute: MINUTE, "10min": 10 * MINUTE, hour: HOUR, day: DAY };
const RISE = Date.parse("2026-11-23T20:20:00Z"); // 2323/tcp
const iso = t => new Date(t).toISOString().replace(".000Z", "Z");

// The same number for the same words: 0 to 1.
export function chance(...words) {
	let h = 2166136261;
	for (const c of words.join("/")) h = Math.imul(h ^ c.charCodeAt(0), 16777619);
	h ^= h >>> 15;
	h = Math.imul(h, 2246822519);
	return ((h ^ (h >>> 13)) >>> 0) / 2 ** 32;
}

export const PORTS = [
	["tcp", 2323, 107, 812],
	["tcp", 23, 398, 412.6],
	["tcp", 445, 396, 391.7],
	["tcp", 22, 201, 208.3],
	["tcp", 1433, 171, 163.9],
	["tcp", 5555, 128, 141.2],
	["tcp", 3389, 135, 133.6],
	["tcp", 8728, 71, 118.4],
	["tcp", 8080, 110, 112],
	["tcp", 80, 104, 103.1],
	["udp", 123, 81, 82.4],
	["tcp", 443, 79, 78.8],
	["udp", 5060, 74, 75.1],
	["tcp", 6379, 60, 61.5],
	["icmp", null, 47, 47.6],
	["tcp", 81, 44, 43.2],
	["tcp", 8443, 41, 40.7],
	["tcp", 2375, 33, 33.9],
	["udp", 53, 30, 31.4],
	["udp", 161, 25, 24.6],
	["tcp", 7547, 22, 23.1],
	["tcp", 37215, 19, 20.4],
	["udp", 1900, 17, 16.2],
	["tcp", 27017, 15, 15.5],
	["udp", 47808, 0, 4.3],
];
const COUNTRIES = [
	["CN", 1325.7, 1402.6],
	["US", 1095.3, 1118.3],
	["VN", 201.2, 451.6],
	["NL", 429.7, 421.5],
	["RU", 383.4, 388],
	["IN", 284.8, 341.2],
	["BR", 176.4, 320.8],
	["HK", 260.3, 251.7],
	["DE", 190.1, 188.2],
	["KR", 170, 168.4],
	["BG", 121.2, 119.7],
	["SG", 99.9, 103.4],
	["GB", 96.2, 95.1],
	["FR", 70.4, 71.3],
	["TW", 62.8, 64.9],
	["JP", 30.3, 31.4],
	["MU", 4.1, 4.4],
	[null, 20.1, 19.8],
];
const NETWORKS = [
	[64501, "Sim Telecom A", "VN", 98, 298.4],
	[64510, "Sim <b>Cloud</b> B & with a name that is rather long for a table", "US", 266, 271],
	[64499, "Sim Telecom C", "CN", 241, 244.9],
	[64503, "Sim Telecom D", "BR", 40, 131.7],
	[64511, "Sim Hosting E", "NL", 120, 118.3],
	[64496, "Sim Research F", "US", 81, 80.9],
	[null, null, null, 20, 19.8],
];
const TOOLS = [
	["unknown", 0.509],
	["zmap", 0.185],
	["mirai", 0.164],
	["masscan", 0.136],
	["nmap", 0.004],
	["mixed", 0.002],
];
const SENSORS = ["nrt-1", "kix-1", "fra-1", "iad-1", "sin-1"];
const GAP = [Date.parse("2026-11-23T17:10:00Z"), Date.parse("2026-11-23T17:47:00Z")];
const DOWN = [Date.parse("2026-11-07T00:00:00Z"), Date.parse("2026-11-08T00:00:00Z")];

const climb = t => (t < RISE ? 0 : 6100 / (1 + Math.exp(-(t - RISE - 75 * MINUTE) / (18 * MINUTE))));
const level = t =>
	5400 + 420 * Math.sin(((t % DAY) / DAY) * 2 * Math.PI + 1) + 180 * Math.sin(((t % (7 * DAY)) / (7 * DAY)) * 2 * Math.PI);

function rateAt(t, step) {
	let total = 0;
	const n = step > HOUR ? 24 : 4;
	for (let i = 0; i < n; i++) total += level(t + (step * i) / n) + climb(t + (step * i) / n);
	return (total / n) * (0.97 + 0.06 * chance("rate", t, step));
}

const FIRST = Date.parse("2026-08-02T00:00:00Z");
function seen(t, step) {
	if (t + step <= FIRST || t >= AS_OF || (t >= DOWN[0] && t + step <= DOWN[1])) return 0;
	return Math.min(1, (AS_OF - t) / step);
}

function rateRow(t, step, rate, observed) {
	const days = (ADDRESSES * observed * step) / DAY;
	return {
		moment: iso(t),
		accesses: Math.round(rate * days),
		packets: Math.round(rate * days * 1.11),
		rate: observed ? rate : null,
		low: observed ? rate * 0.235 : null,
		high: observed ? rate * 0.758 : null,
		without: observed ? rate * 0.007 : null,
		address_days: days,
		observed,
		sources: observed ? Math.round(rate * (step / DAY) ** 0.6 * 8) : null,
	};
}

function moments(q) {
	const at = (text, otherwise) => {
		const m = /^-(\d+)([mhd])$/.exec(text ?? "");
		return m ? AS_OF - Number(m[1]) * { m: MINUTE, h: HOUR, d: DAY }[m[2]] : text ? Date.parse(text) : otherwise;
	};
	const to = at(q.get("to"), AS_OF);
	return { from: at(q.get("from"), to - DAY), to };
}

function* stepsOf(q) {
	const { from, to } = moments(q),
		step = STEPS[q.get("step") ?? "10min"] ?? 10 * MINUTE;
	for (let t = Math.floor(from / step) * step; t < to; t += step) yield [t, step];
}

function rates(q) {
	const { from, to } = moments(q);
	if (q.get("step") !== "span") return [...stepsOf(q)].map(([t, step]) => rateRow(t, step, rateAt(t, step), seen(t, step)));
	let sum = 0,
		n = 0;
	for (let t = from; t < to; t += HOUR, n++) sum += rateAt(t, HOUR);
	return [to <= FIRST ? { ...rateRow(from, to - from, 0, 0), rate: null } : rateRow(from, to - from, n ? sum / n : 0, 0.997)];
}

function ranked(rows, key) {
	const before = [...rows].sort((a, b) => b.was - a.was);
	const total = rows.reduce((s, r) => s + r.now, 0) * 1.9;
	return [...rows]
		.sort((a, b) => b.now - a.now)
		.map((r, i) => ({
			...r.row,
			rank: i + 1,
			before_rank: r.was ? before.indexOf(r) + 1 : null,
			accesses: Math.round(r.now * ADDRESSES),
			rate: r.now,
			before_rate: r.was || null,
			share: r.now / total,
			sources: Math.round(r.now * (20 + 40 * chance(key, i))),
		}));
}

// The years of the white paper, then two of which parts were observed.
const YEARS = [
	[2016, 1692, 1075.5, 606.4],
	[2017, 1893, 1054.9, 826.9],
	[2018, 2752.8, 1034, 1702.8],
	[2019, 4192, 1325.9, 2844.8],
	[2020, 6506.4, 1527.7, 4931.1],
	[2025, 5100.2, 1301.1, 3766.2],
	[2026, 5480.9, 1310.4, 4130.2],
];
const years = () => YEARS.map(([year, accesses]) => ({ year, accesses }));
const yearBands = () =>
	YEARS.map(([year, all, low, high]) => ({ year, ports_low: low, ports_high: high, without_port: all - low - high }));

const ports = () =>
	ranked(
		PORTS.map(([protocol, port, was, now]) => ({ row: { protocol, port }, was, now })),
		"ports",
	);
const countries = () =>
	ranked(
		COUNTRIES.map(([country, was, now]) => ({ row: { country }, was, now })),
		"countries",
	);
const networks = q =>
	ranked(
		NETWORKS.filter(n => !q.get("country") || n[2] === q.get("country")).map(([as_number, as_name, country, was, now]) => ({
			row: { as_number, as_name, country },
			was,
			now,
		})),
		"networks",
	);
const tools = () =>
	TOOLS.map(([tool, share]) => ({ tool, packets: Math.round(share * 1.8e6), sources: Math.round(share * 93_211), share }));

export const address = i =>
	i % 9 === 8
		? `2001:db8:${i.toString(16)}::${(i * 7).toString(16)}`
		: `198.18.${Math.floor(chance("ip", i) * 255)}.${Math.floor(chance("host", i) * 255)}`;
function source(i) {
	const [as_number, as_name, country] = NETWORKS[Math.floor(chance("net", i) * NETWORKS.length)];
	const packets = Math.round(20000 / (i + 1)) + 3;
	return {
		source: address(i),
		packets,
		accesses: packets - (i % 3),
		ports: 1 + Math.floor(chance("ports", i) * 40),
		tool: TOOLS[Math.floor(chance("tool", i) * 5)][0],
		country,
		as_number,
		as_name,
		first: iso(AS_OF - Math.round(chance("first", i) * DAY)),
		last: iso(AS_OF - Math.round(chance("last", i) * HOUR)),
		sensors: 1 + (i % 5),
	};
}
const sources = q =>
	Array.from({ length: 240 }, (_, i) => source(i)).filter(
		s =>
			(!q.get("country") || s.country === q.get("country")) &&
			(!q.get("as") || s.as_number === Number(q.get("as"))) &&
			(!q.get("tool") || s.tool === q.get("tool")),
	);

function heat(q) {
	const out = [];
	for (const [protocol, port, , now] of PORTS.slice(0, 20))
		for (const [t, step] of stepsOf(q)) {
			const part = port === 2323 ? 107 + climb(t) * 0.9 : now;
			if (seen(t, step))
				out.push({
					protocol,
					port,
					moment: iso(t),
					accesses: Math.round(((part * ADDRESSES * step) / DAY) * (0.7 + 0.6 * chance("heat", protocol, port, t))),
				});
		}
	return out;
}

function portHistory(protocol, port, q) {
	const one = PORTS.find(p => p[0] === protocol && String(p[1] ?? "-") === port);
	return [...stepsOf(q)].map(([t, step]) => {
		const observed = seen(t, step),
			rate = (port === "2323" ? 107 + climb(t) : (one?.[3] ?? 1)) * (0.85 + 0.3 * chance("port", port, t));
		return {
			moment: iso(t),
			accesses: Math.round((rate * ADDRESSES * observed * step) / DAY),
			rate: observed ? rate : null,
			sources: observed ? Math.round(rate * 1.3) : null,
			observed,
		};
	});
}

function portDetail(protocol, port) {
	const row = ports().find(p => p.protocol === protocol && String(p.port ?? "-") === port);
	return row && { ...row, first: iso(FIRST), countries: 61, networks: 1204, sensors: 5 };
}

function sensors(q) {
	const { from, to } = moments(q);
	return SENSORS.map((sensor, i) => ({
		sensor,
		addresses: i === 4 ? 32 : 56,
		mode: "silent",
		first: iso(FIRST),
		last: iso(AS_OF - (i === 4 ? 20 * MINUTE : 0)),
		observed: i === 4 ? 1 - (GAP[1] - GAP[0]) / (to - from) : 1,
		packets: 360_000 + i * 1000,
		accesses: 330_000 + i * 990,
		rate: 5920 + i * 280,
		dropped: i === 2 ? 342 : 0,
		gaps: i === 4 ? 1 : 0,
	}));
}

function coverage(q) {
	const { from, to } = moments(q),
		out = [];
	SENSORS.forEach((sensor, i) => {
		const parts =
			i === 4
				? [
						[from, GAP[0]],
						[GAP[1], to - 20 * MINUTE],
					]
				: [[from, to]];
		for (const [a, b] of parts)
			if (b > a)
				out.push({
					sensor,
					from: iso(Math.max(a, from)),
					to: iso(b),
					addresses: i === 4 ? 32 : 56,
					dropped: i === 2 ? 342 : 0,
				});
	});
	return out;
}

function ipDetail(ip) {
	const i = Array.from({ length: 240 }, (_, k) => k).find(k => address(k) === ip);
	if (i === undefined)
		return {
			address: ip,
			seen: false,
			first: null,
			last: null,
			days: null,
			sensors_seen: null,
			packets: null,
			accesses: null,
			classes: null,
			tools: null,
			rules: null,
			ports: null,
			country: "VN",
			as_number: 64501,
			as_name: "Sim Telecom A",
			forgeable: null,
		};
	const s = source(i);
	return {
		address: ip,
		seen: true,
		first: iso(AS_OF - 9 * DAY),
		last: s.last,
		days: 6,
		sensors_seen: s.sensors,
		packets: s.packets,
		accesses: s.accesses,
		classes: [
			{ class: "scan", packets: s.accesses },
			{ class: "backscatter", packets: 3 },
		],
		tools: [s.tool],
		rules: [{ rule: "mirai-seq", packets: s.packets - 20 }],
		ports: PORTS.slice(0, 9).map(([protocol, port], k) => ({
			protocol,
			port,
			class: "scan",
			packets: Math.round(s.packets / (k + 2)),
			accesses: Math.round(s.packets / (k + 2)),
		})),
		country: s.country,
		as_number: s.as_number,
		as_name: s.as_name,
		forgeable: true,
	};
}

function ipHistory(ip, q) {
	const out = [];
	for (const [t, step] of stepsOf(q))
		for (const [protocol, port] of PORTS.slice(0, 6))
			if (chance(ip, port, t) < 0.35)
				out.push({
					moment: iso(t),
					protocol,
					port,
					class: "scan",
					packets: 1 + Math.round(chance(ip, t) * 90 * (step / HOUR)),
					accesses: 1 + Math.round(chance(ip, t) * 90 * (step / HOUR)),
				});
	return out;
}

function classes(q) {
	const parts = [
		["scan", 0.86],
		["backscatter", 0.07],
		["payload", 0.05],
		["p2p", 0.01],
		["misconfiguration", 0.006],
		["other", 0.004],
	];
	const steps = q.get("step") === "span" ? [[moments(q).from, moments(q).to - moments(q).from]] : [...stepsOf(q)];
	return steps.flatMap(([t, step]) =>
		parts.map(([name, part]) => {
			const packets = Math.round(
				((rateAt(t, step) * ADDRESSES * Math.max(seen(t, step), q.get("step") === "span" ? 1 : 0) * step) / DAY) * part,
			);
			return { moment: iso(t), class: name, packets, accesses: name === "scan" || name === "payload" ? packets : 0 };
		}),
	);
}

function search(q) {
	const text = (q.get("q") ?? "").toLowerCase(),
		out = [];
	for (const [protocol, port, , now] of PORTS)
		if (port !== null && String(port).startsWith(text))
			out.push({ kind: "port", value: `${port}/${protocol}`, text: null, accesses: Math.round(now * ADDRESSES) });
	for (const [country, , now] of COUNTRIES)
		if (country && country.toLowerCase() === text)
			out.push({ kind: "country", value: country, text: null, accesses: Math.round(now * ADDRESSES) });
	for (const [as, name, , , now] of NETWORKS)
		if (name && (name.toLowerCase().includes(text) || `as${as}` === text))
			out.push({ kind: "network", value: String(as), text: name, accesses: Math.round(now * ADDRESSES) });
	for (const s of SENSORS) if (s.includes(text)) out.push({ kind: "sensor", value: s, text: null, accesses: 330_000 });
	if (/^[0-9a-f.:]{4,}$/.test(text) && /[.:]/.test(text))
		out.unshift({ kind: "address", value: text, text: null, accesses: 412 });
	return out;
}

export function live(at = NOW) {
	const second = Math.floor(at / 1000);
	return {
		at,
		simulated: true,
		sensors: SENSORS.map(sensor => ({ sensor, addresses: 56, at, received: 1000, dropped: 0 })),
		seconds: Array.from({ length: 300 }, (_, i) => [second - 299 + i, 20 + Math.round(chance("s", i) * 22), 18]),
		minutes: [{ minute: Math.floor(second / 60), packets: 1900, accesses: 1800, classes: { scan: 1800 }, sources: 900 }],
		ports: PORTS.slice(0, 12).map(([protocol, port, , now]) => ({
			protocol,
			port,
			accesses: Math.round(now * 1.8),
			sources: Math.round(now),
		})),
		sources: Array.from({ length: 12 }, (_, i) => ({
			address: address(i),
			packets: 400 - i * 20,
			accesses: 380 - i * 20,
			tool: TOOLS[i % 4][0],
			ports: [23],
		})),
		tools: [{ tool: "mirai", packets: 800, sources: 300 }],
		ignored: 11_208,
		undecoded: 12,
	};
}

const status = simulated => ({
	version: "0.1.0",
	schema: 3,
	now: iso(NOW),
	as_of: iso(AS_OF),
	first: iso(FIRST),
	simulated,
	sensors: 5,
	addresses: ADDRESSES,
	packets: 92_000_000,
	lag: 80,
	capturing: true,
	ignored: 11_208,
	undecoded: 12,
});
const about = {
	version: "0.1.0",
	schema: 3,
	sensors: SENSORS,
	databases: [
		{ kind: "country", type: "geo-whois-asn-country", built: iso(FIRST), credit: "CC0" },
		{ kind: "as", type: "asn", built: iso(FIRST), credit: "IP address data by DB-IP, CC-BY-4.0" },
	],
};

// Attacks by our own verdicts: two that go on, some that are over, one victim twice; and what nobody calls one.
export const victim = i => (i === 6 ? "2001:db8:53::53" : `203.0.113.${17 + i * 9}`);
const ATTACKS = [
	// verdict, kind, protocol, port, minutes ago: begun and ended, replies, distinct
	["attack", "syn_ack", "tcp", 443, 33, 1, 1240, 310],
	["attack", "reply", "icmp", null, 12, 2, 610, 610],
	["attack", "rst", "tcp", 25565, 700, 540, 5120, 5101],
	["attack", "error", "udp", 80, 1200, 1150, 77, 77],
	["undecided", "rst", "tcp", 80, 300, 290, 19, 12],
	["undecided", "reply", "udp", 53, 900, 800, 400, 390],
	["scan", "syn_ack", "tcp", 80, 400, 350, 256, 256],
	["reflection", "reply", "udp", 123, 500, 480, 990, 990],
	["attack", "syn_ack", "tcp", 443, 2000, 1970, 333, 90],
];
const SAME = 8; // the last is on the first one's victim
const whole = ([verdict, kind, protocol, port, begun, ended, packets, distinct], i) => {
	const rate = (distinct * 2 ** 32) / ADDRESSES / ((begun - ended) * 60),
		told = verdict === "attack" ? distinct : 12;
	return {
		victim: victim(i === SAME ? 0 : i),
		first: iso(AS_OF - begun * MINUTE),
		last: iso(AS_OF - ended * MINUTE - 20_000),
		verdict,
		kind,
		protocol,
		port,
		ports: verdict === "scan" ? 12 : 1,
		vectors: 2,
		packets,
		bytes: packets * 40,
		distinct_forged: distinct,
		factor: packets / distinct,
		rate: i === 6 ? null : rate,
		rate_low: i === 6 ? null : rate * 0.8,
		rate_high: i === 6 ? null : rate * 1.25,
		peak: Math.ceil(packets / 10),
		peak_minute: iso(AS_OF - (begun - 1) * MINUTE),
		peak_rate: rate * 2,
		addresses: ADDRESSES,
		addresses_seen: Math.min(60, Math.round(told / 2)),
		ports_seen: Math.min(64, told),
		uniformity: told >= 30 ? 0.97 : null,
		ttl_min: 54,
		ttl_max: 54 + (i % 3),
		length_min: 40,
		length_max: 44,
		country: i ? COUNTRIES[i % 12][0] : "NL",
		as_number: i % 4 === 3 ? null : 64500 + i,
		as_name: i % 4 === 3 ? null : `Sim <b>Hosting</b> ${i}`,
		before: i === 0 ? iso(AS_OF - 1970 * MINUTE) : null,
	};
};
const ALL = ATTACKS.map(whole);
export const attackBegan = ALL[0].first;
const attacks = q =>
	ALL.filter(
		r =>
			(!q.get("verdict") || r.verdict === q.get("verdict")) &&
			(!q.get("country") || r.country === q.get("country")) &&
			(!q.get("as") || r.as_number === Number(q.get("as"))) &&
			(!q.get("port") || r.port === Number(q.get("port"))) &&
			Date.parse(r.last) >= moments(q).from,
	);
const attacksOn = address => ALL.filter(r => r.victim === address);
const attackVectors = address =>
	attacksOn(address).flatMap(r =>
		[0, 1].map(i => ({
			attack: r.first,
			kind: i ? "rst" : r.kind,
			protocol: i ? "tcp" : r.protocol,
			port: i ? 8080 : r.port,
			first: r.first,
			last: r.last,
			packets: r.packets >> i,
			bytes: r.bytes >> i,
			forged: r.packets >> i,
			ttl_min: 54,
			ttl_max: 54 + i,
			length_min: 40,
			length_max: 44,
		})),
	);
const corsaro = () =>
	ALL.filter(r => r.verdict === "attack").map(r => ({
		victim: r.victim,
		protocol: r.protocol,
		first: Date.parse(r.first) / 1000,
		last: Date.parse(r.last) / 1000,
		packets: r.packets,
		bytes: r.bytes,
		max_ppm: r.peak,
		ports: r.ports === 12 ? 64 : r.ports,
		attackers: 4,
		country: r.country,
		as_number: r.as_number,
	}));
const attackCounts = () => [
	...["attack", "reflection", "scan", "undecided"].map(verdict => {
		const rows = ALL.filter(r => r.verdict === verdict);
		return { definition: "monomi", verdict, attacks: rows.length, victims: new Set(rows.map(r => r.victim)).size, open: 0 };
	}),
	{ definition: "corsaro2", verdict: null, attacks: 5, victims: 4, open: 1 },
	{ definition: "corsaro3", verdict: null, attacks: 5, victims: 4, open: 1 },
];
const attackSteps = q =>
	[...stepsOf(q)].flatMap(([t, step]) => {
		const rows = attacks(q).filter(r => Date.parse(r.first) < t + step && Date.parse(r.last) >= t);
		return rows.length ? [{ moment: iso(t), verdict: rows[0].verdict, attacks: rows.length, begun: 0, victims: rows.length }] : [];
	});
function attackRanks(q) {
	const by = q.get("by"),
		row = { country: null, as_number: null, as_name: null, protocol: null, port: null };
	const keys =
		by === "port"
			? PORTS.slice(0, 8).map(([protocol, port]) => ({ protocol, port }))
			: by === "network"
				? NETWORKS.map(([as_number, as_name]) => ({ as_number, as_name }))
				: COUNTRIES.slice(0, 8).map(([country]) => ({ country }));
	return keys.map((key, i) => ({ ...row, ...key, attacks: 9 - i, victims: 8 - i, packets: 900 >> i, share: 0.5 / 2 ** i }));
}
const ONSETS = [
	// victim, minutes ago, outcome
	[9, 3, "under watch"],
	[0, 33, "confirmed"],
	[10, 200, "silent"],
	[11, 260, "contradicted"],
];
const onsets = (q, address) =>
	ONSETS.map(([i, ago, outcome]) => ({
		victim: victim(i),
		raised: AS_OF / 1000 - ago * 60 + 23,
		first: AS_OF / 1000 - ago * 60,
		outcome,
		settled: outcome === "under watch" ? null : AS_OF / 1000 - ago * 60 + 63,
		packets: outcome === "under watch" ? 4 : 12,
		evidence_bits: outcome === "under watch" ? 17 : 54,
		kind: "syn_ack",
		protocol: "tcp",
		port: 443,
		country: "JP",
		as_number: 64511,
		as_name: "Sim Hosting E",
		addresses: ADDRESSES,
		attack: outcome === "confirmed" ? AS_OF / 1000 - ago * 60 : null,
	})).filter(
		r => (!address || r.victim === address) && (!q.get("outcome") || r.outcome === q.get("outcome").replace("_", " ")),
	);
const sensitivity = () => [{ addresses: ADDRESSES, observable: 13_981, early_hour: 38_374, early_minute: 2_302_403, published: 8_388_608 }];
const replies = q =>
	[...stepsOf(q)].flatMap(([t]) =>
		["syn_ack", "rst"].map(kind => ({
			moment: iso(t),
			kind,
			packets: Math.round(30 * chance("reply", t, kind)),
			forged: Math.round(20 * chance("reply", t, kind)),
			victims: 3,
		})),
	);
// Source addresses that behave like bots: counts, steps, growth, the addresses.
const BOTS = [
	["mirai", "B", 7951, 0.12, 0.08, 0.16],
	["mirai", "C", 14790, -0.01, -0.03, 0.02],
	["hajime", "B", 12, null, null, null],
];
function botCounts(q) {
	const of = q.get("of") ?? "family",
		none = { family: null, grade: null, country: null, as_number: null, as_name: null };
	const keys =
		of === "network"
			? NETWORKS.slice(0, 8).map(([as_number, as_name]) => ({ as_number, as_name }))
			: of === "country"
				? COUNTRIES.slice(0, 8).map(([country]) => ({ country }))
				: BOTS.map(([family, grade]) => ({ family, grade }));
	return keys.map((key, i) => {
		const [, , sources, change, change_low, change_high] = BOTS[i % 3];
		const before_sources = change === null ? null : Math.round(sources / (1 + change));
		return { ...none, ...key, sources, before_sources, change, change_low, change_high, syns: sources * 3, share: 0.5 / 2 ** i };
	});
}
const botSteps = q =>
	[...stepsOf(q)].flatMap(([t]) =>
		BOTS.map(([family, grade, sources], i) => ({
			moment: iso(t),
			family,
			grade,
			sources: Math.round((sources / 20) * (1 + chance("bots", t, i) / 4)),
			syns: sources,
		})),
	);
const botGrowth = () => [
	{ family: "mirai", steps: 144, mean: 90.4, hourly: 0.65, hourly_low: 0.59, hourly_high: 0.71, doubling: 1.386, doubling_low: 1.297, doubling_high: 1.487, dispersion: 1 },
	{ family: "hajime", steps: 144, mean: 0.4, hourly: 0.01, hourly_low: -0.2, hourly_high: 0.3, doubling: null, doubling_low: null, doubling_high: null, dispersion: 1.3 },
];
const bots = () =>
	Array.from({ length: 60 }, (_, i) => ({
		source: address(i % 20).replace(/\d+$/, String(1 + i)),
		family: i % 7 ? "mirai" : "hajime",
		grade: i < 20 ? "B" : "C",
		syns: 60 - i,
		minutes: 1 + (i % 9),
		sensors: 1 + (i % 4),
		ports: i % 5 ? [23, 2323] : [23, 2323, 5555, 37215, 52869],
		usual: 1,
		ttl_min: 44,
		ttl_max: 44 + (i % 2),
		first: iso(AS_OF - (900 - i) * MINUTE),
		last: iso(AS_OF - i * MINUTE),
		country: i % 5 ? COUNTRIES[i % 12][0] : null,
		as_number: i % 5 ? 64500 + i : null,
		as_name: i % 5 ? `Sim <b>Access</b> ${i}` : null,
	}));

const LISTS = [
	[/^\/v1\/attacks$/, attacks],
	[/^\/v1\/attacks\/corsaro[23]$/, corsaro],
	[/^\/v1\/attacks\/([^/]+)$/, (_, address) => attacksOn(address)],
	[/^\/v1\/attacks\/([^/]+)\/vectors$/, (_, address) => attackVectors(address)],
	[/^\/v1\/attacks\/([^/]+)\/onsets$/, onsets],
	[/^\/v1\/attacks\/[^/]+\/history$/, replies],
	[/^\/v1\/attack-counts$/, attackCounts],
	[/^\/v1\/attack-steps$/, attackSteps],
	[/^\/v1\/attack-ranks$/, attackRanks],
	[/^\/v1\/onsets$/, q => onsets(q)],
	[/^\/v1\/sensitivity$/, sensitivity],
	[/^\/v1\/infections$/, botCounts],
	[/^\/v1\/infections\/steps$/, botSteps],
	[/^\/v1\/infections\/growth$/, botGrowth],
	[/^\/v1\/infections\/sources$/, bots],
	[/^\/v1\/replies$/, replies],
	[/^\/v1\/rate$/, rates],
	[/^\/v1\/years$/, years],
	[/^\/v1\/years\/bands$/, yearBands],
	[/^\/v1\/classes$/, classes],
	[/^\/v1\/ports$/, ports],
	[/^\/v1\/heat$/, heat],
	[/^\/v1\/sources$/, sources],
	[/^\/v1\/countries$/, countries],
	[/^\/v1\/networks$/, networks],
	[/^\/v1\/tools$/, tools],
	[/^\/v1\/sensors$/, sensors],
	[/^\/v1\/coverage$/, coverage],
	[/^\/v1\/search$/, search],
	[/^\/v1\/ports\/([^/]+)\/([^/]+)\/history$/, (q, a, b) => portHistory(a, b, q)],
	[/^\/v1\/ports\/[^/]+\/[^/]+\/countries$/, countries],
	[/^\/v1\/ports\/[^/]+\/[^/]+\/networks$/, networks],
	[/^\/v1\/ports\/[^/]+\/[^/]+\/tools$/, tools],
	[/^\/v1\/ports\/[^/]+\/[^/]+\/sources$/, sources],
	[/^\/v1\/ip\/([^/]+)\/history$/, (q, a) => ipHistory(a, q)],
];
const OBJECTS = [
	[/^\/v1\/about$/, () => about],
	[/^\/v1\/ports\/([^/]+)\/([^/]+)$/, (a, b) => portDetail(a, b)],
	[/^\/v1\/ip\/([^/]+)$/, a => ipDetail(a)],
	[/^\/v1\/live$/, () => live()],
];

function paged(rows, q, scene) {
	const limit = Number(q.get("limit") ?? 1000),
		at = Number(q.get("cursor") ?? 0),
		{ from, to } = moments(q);
	const kept =
		scene === "empty"
			? rows
					.filter(r => "observed" in r && !("sensor" in r))
					.map(r => ({
						...r,
						accesses: 0,
						packets: 0,
						rate: null,
						low: null,
						high: null,
						without: null,
						observed: 0,
						sources: null,
						address_days: 0,
					}))
			: rows;
	return {
		as_of: scene === "empty" ? null : iso(AS_OF),
		simulated: true,
		from: iso(from),
		to: iso(to),
		rows: kept.slice(at, at + limit),
		next: at + limit < kept.length ? String(at + limit) : null,
	};
}

export function answer(path, q, scene) {
	if (path === "/v1/status")
		return scene === "empty"
			? { ...status(true), as_of: null, first: null, sensors: 0, packets: 0 }
			: status(scene !== "real");
	for (const [pattern, make] of OBJECTS) {
		const m = pattern.exec(path);
		if (m) return make(...m.slice(1).map(decodeURIComponent)) ?? null;
	}
	for (const [pattern, make] of LISTS) {
		const m = pattern.exec(path);
		if (m) return paged(make(q, ...m.slice(1).map(decodeURIComponent)), q, scene);
	}
	return null;
}

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

function page(path) {
	const file = normalize(join(PAGES, path));
	const inside = file.startsWith(PAGES) && extname(file) ? file : join(PAGES, "index.html");
	try {
		return [TYPES[extname(inside)] ?? "application/octet-stream", readFileSync(inside)];
	} catch {
		return ["text/html; charset=utf-8", readFileSync(join(PAGES, "index.html"))];
	}
}

// `state.scene` may change while it runs; `asked` counts the questions by path.
export function serve(port, state) {
	const asked = new Map();
	const streams = new Set();
	const server = createServer((request, response) => {
		const { pathname, searchParams } = new URL(request.url, "http://localhost");
		const scene = searchParams.get("scene") ?? state.scene;
		if (!pathname.startsWith("/v1/")) {
			const [type, body] = page(pathname);
			return response.writeHead(200, { "content-type": type, "content-security-policy": POLICY }).end(body);
		}
		asked.set(pathname, (asked.get(pathname) ?? 0) + 1);
		if (pathname === "/v1/stream") {
			if (scene === "failing" || scene === "bare") return response.writeHead(503).end();
			response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
			response.write(`event: live\ndata: ${JSON.stringify(live())}\n\n`);
			streams.add(response);
			return response.on("close", () => streams.delete(response));
		}
		const send = () => {
			const found = scene === "failing" && pathname !== "/v1/status" ? null : answer(pathname, searchParams, scene);
			const code = scene === "failing" ? 503 : found ? 200 : 404;
			const error = {
				error: { code: "MON-SRV-021", text: code === 404 ? "No such thing." : "The reader does not answer." },
			};
			response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(code === 200 ? found : error));
		};
		return scene === "slow" ? setTimeout(send, 700) : send();
	});
	server.on("close", () => streams.forEach(s => s.destroy()));
	return new Promise(done =>
		server.listen(port, "127.0.0.1", () =>
			done({
				server,
				asked,
				port: server.address().port,
				state,
				hangUp: () => streams.forEach(s => s.destroy()),
				close: () =>
					new Promise(over => {
						streams.forEach(s => s.destroy());
						server.close(over);
						server.closeAllConnections();
					}),
				send: (event, data) => streams.forEach(s => s.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)),
			}),
		),
	);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const fixture = await serve(Number(process.argv[2] ?? 8090), { scene: process.argv[3] ?? "full" });
	console.log(`http://127.0.0.1:${fixture.port}/`);
}
