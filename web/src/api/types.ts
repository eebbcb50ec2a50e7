// What the API answers (docs/formats/api.md). Moments are RFC 3339 in UTC; what is not known is null.
export type Moment = string;

export interface Listing<Row> {
	as_of: Moment | null;
	simulated: boolean;
	from: Moment;
	to: Moment;
	rows: Row[];
	next: string | null;
}

export interface Status {
	version: string;
	schema: number | string;
	now: Moment;
	as_of: Moment | null;
	first: Moment | null;
	simulated: boolean;
	sensors: number;
	addresses: number | null;
	packets: number;
	lag: number | null; // seconds
	capturing: boolean;
	ignored?: number | null; // packets of the last 24 hours
	undecoded?: number | null;
	without_rows: number; // ignored or undecoded, ever
	refused: number; // segments
	mode: string | null; // of the sensors that rates are told of
	apart: number; // sensors of another
}

export interface RateRow {
	moment: Moment;
	accesses: number;
	packets: number;
	rate: number | null; // accesses per address and day
	low: number | null;
	high: number | null;
	without: number | null;
	address_days?: number | null;
	observed: number | null; // 0 to 1
	sources: number | null;
}

export interface YearRow {
	year: number;
	accesses: number | null; // per address and day
}
export interface BandYearRow {
	year: number;
	ports_low: number | null;
	ports_high: number | null;
	without_port: number | null;
}

export interface ClassRow {
	moment: Moment;
	class: string;
	packets: number;
	accesses: number;
}

export interface Ranked {
	rank: number;
	before_rank: number | null;
	accesses: number;
	rate: number | null;
	before_rate: number | null;
	share: number;
	sources: number | null;
}
export interface PortRow extends Ranked {
	protocol: string;
	port: number | null;
}
export interface PortDetail extends PortRow {
	first: Moment | null;
	countries: number | null;
	networks: number | null;
	sensors: number | null;
}
export interface PortHistoryRow {
	moment: Moment;
	accesses: number;
	rate: number | null;
	sources: number | null;
	observed: number | null;
}
export interface HeatRow {
	protocol: string;
	port: number | null;
	moment: Moment;
	accesses: number;
}

export interface CountryRow extends Ranked {
	country: string | null;
}
export interface NetworkRow extends Ranked {
	as_number: number | null;
	as_name: string | null;
	country: string | null;
}
export interface ToolRow {
	tool: string;
	packets: number;
	sources: number;
	share: number;
}

export interface SourceRow {
	source: string;
	packets: number;
	accesses: number;
	ports: number;
	tool: string | null;
	country: string | null;
	as_number: number | null;
	as_name: string | null;
	first: Moment;
	last: Moment;
	sensors: number;
}

export interface SourceDetail {
	address: string;
	seen: boolean;
	first: Moment | null;
	last: Moment | null;
	days: number | null;
	sensors_seen: number | null;
	packets: number | null;
	accesses: number | null;
	classes: Counted[] | null;
	tools: Counted[] | string[] | null;
	rules: Counted[] | null;
	ports: PortOfSource[] | null;
	country: string | null;
	as_number: number | null;
	as_name: string | null;
	forgeable: boolean | null;
}
export interface Counted {
	class?: string;
	tool?: string;
	rule?: string;
	packets?: number;
	[more: string]: unknown;
}
export interface PortOfSource {
	protocol: string;
	port: number | null;
	icmp_type?: number | null;
	class: string;
	packets: number;
	accesses: number;
}
export interface SourceHistoryRow {
	moment: Moment;
	protocol: string;
	port: number | null;
	class: string;
	packets: number;
	accesses: number;
}

export interface SensorRow {
	sensor: string;
	addresses: number | null;
	mode: string | null;
	first: Moment | null;
	last: Moment | null;
	observed: number | null;
	packets: number;
	accesses: number;
	rate: number | null;
	dropped: number;
	gaps: number;
}
export interface CoverageRow {
	sensor: string;
	from: Moment;
	to: Moment;
	addresses: number | null;
	mode: string | null;
	dropped: number;
}

export type HitKind = "address" | "prefix" | "port" | "country" | "network" | "tool" | "sensor";
export interface SearchRow {
	kind: HitKind;
	value: string;
	text: string | null;
	accesses: number | null;
}

export interface About {
	version: string;
	schema: number | string;
	databases: { kind: string; type: string; built: Moment | null; credit: string | null }[];
	sensors: number | unknown[];
}

// Provisional counters of the last minutes (docs/formats/live.md).
export interface Live {
	at: number; // ms since 1970
	sensors: { sensor: string; addresses: number | null; at: number; received: number; dropped: number }[];
	seconds: [number, number, number][]; // epoch second, packets, accesses
	minutes: { minute: number; packets: number; accesses: number; classes: Record<string, number>; sources: number }[];
	ports: { protocol: string; port: number | null; accesses: number; sources: number }[];
	sources: { address: string; packets: number; accesses: number; tool: string | null; ports: unknown[] }[];
	tools: { tool: string; packets: number; sources: number }[];
	ignored: number;
	undecoded: number;
	simulated: boolean;
}

// Attacks by one of corsaro's definitions; first and last are seconds since 1970.
export interface CorsaroRow {
	victim: string;
	protocol: string;
	first: number;
	last: number;
	packets: number;
	bytes: number;
	max_ppm: number;
	ports: number;
	attackers: number;
	country: string | null;
	as_number: number | null;
}
export type Verdict = "attack" | "scan" | "reflection" | "undecided";
// By our own rules: all that one victim replied to, without a pause of ten minutes.
export interface AttackRow {
	victim: string;
	first: Moment;
	last: Moment;
	verdict: Verdict;
	kind: string;
	protocol: string;
	port: number | null;
	ports: number;
	vectors: number;
	packets: number;
	bytes: number;
	distinct_forged: number;
	factor: number; // how often a reply came
	rate: number | null; // packets a second at the victim
	rate_low: number | null;
	rate_high: number | null;
	peak: number; // replies in a minute
	peak_minute: Moment;
	peak_rate: number | null;
	addresses: number | null;
	addresses_seen: number;
	ports_seen: number;
	uniformity: number | null;
	ttl_min: number;
	ttl_max: number;
	length_min: number;
	length_max: number;
	country: string | null;
	as_number: number | null;
	as_name: string | null;
	before: Moment | null; // when the attack before it ended
}
export interface AttackVectorRow {
	attack: Moment;
	kind: string;
	protocol: string;
	port: number | null;
	first: Moment;
	last: Moment;
	packets: number;
	forged: number;
	ttl_min: number;
	ttl_max: number;
	length_min: number;
	length_max: number;
}
export type Definition = "monomi" | "corsaro2" | "corsaro3";
export interface AttackCountRow {
	definition: Definition;
	verdict: Verdict | null;
	attacks: number;
	victims: number;
	open: number;
}
export interface AttackStepRow {
	moment: Moment;
	verdict: Verdict;
	attacks: number;
	begun: number;
	victims: number;
}
export interface AttackRankRow {
	country: string | null;
	as_number: number | null;
	as_name: string | null;
	protocol: string | null;
	port: number | null;
	attacks: number;
	victims: number;
	packets: number;
	share: number;
}
// An attack that began, told after a handful of packets; moments are seconds since 1970.
export interface OnsetRow {
	victim: string;
	raised: number;
	first: number;
	outcome: "under watch" | "confirmed" | "contradicted" | "silent";
	settled: number | null;
	packets: number; // distinct, when it was settled or else raised
	evidence_bits: number;
	kind: string;
	protocol: string;
	port: number | null;
	country: string | null;
	as_number: number | null;
	as_name: string | null;
	addresses: number | null;
	attack: number | null; // first second of what it is the beginning of
}
// Packets a second at a victim.
export interface SensitivityRow {
	addresses: number | null;
	observable: number | null;
	early_hour: number | null;
	early_minute: number | null;
	published: number | null;
}
export interface ReplyRow {
	moment: Moment;
	kind: string | null;
	packets: number;
	forged: number;
	victims: number;
}

// Source addresses that behave like bots.
export interface BotCountRow {
	family: string | null;
	grade: string | null;
	country: string | null;
	as_number: number | null;
	as_name: string | null;
	sources: number;
	before_sources: number | null;
	change: number | null;
	change_low: number | null;
	change_high: number | null;
	syns: number;
	share: number;
}
export interface BotStepRow {
	moment: Moment;
	family: string;
	grade: string;
	sources: number;
	syns: number;
}
export interface BotGrowthRow {
	family: string;
	steps: number;
	mean: number;
	hourly: number | null;
	hourly_low: number | null;
	hourly_high: number | null;
	doubling: number | null;
	doubling_low: number | null;
	doubling_high: number | null;
	dispersion: number | null;
}
export interface BotRow {
	source: string;
	family: string;
	grade: string;
	syns: number;
	minutes: number;
	sensors: number;
	ports: number[];
	usual: number;
	ttl_min: number;
	ttl_max: number;
	first: Moment;
	last: Moment;
	country: string | null;
	as_number: number | null;
	as_name: string | null;
}
