import { lang, type Lang } from "./language";

// Numbers, moments and lengths of time as both languages write them. Absent values are an en dash, never a zero.
export const NONE = "\u2013";
const MINUS = "\u2212",
	NBSP = "\u00a0",
	THIN = "\u202f";

const numbers = new Map<string, Intl.NumberFormat>();

function formatter(digits: number, lowest = digits): Intl.NumberFormat {
	const key = `${digits},${lowest}`;
	let f = numbers.get(key);
	if (!f) numbers.set(key, (f = new Intl.NumberFormat("en", { maximumFractionDigits: digits, minimumFractionDigits: lowest })));
	return f;
}

const signed = (text: string): string => text.replace("-", MINUS);
const known = (v: number | null | undefined): v is number => typeof v === "number" && Number.isFinite(v);

export const count = (v: number | null | undefined): string => (known(v) ? signed(formatter(0).format(v)) : NONE);

// Accesses per address and day: a decimal, or as many as show two figures.
export function rate(v: number | null | undefined): string {
	if (!known(v)) return NONE;
	const size = Math.abs(v);
	const digits = size >= 1 || size === 0 ? 1 : Math.min(6, 1 - Math.floor(Math.log10(size)));
	return signed(formatter(digits).format(v));
}

const percentText = (text: string, l: Lang): string => (l === "ja" ? `${text}%` : `${text}${THIN}%`);

export function share(v: number | null | undefined, l = lang()): string {
	if (!known(v)) return NONE;
	if (v > 0 && v < 0.0005) return percentText("<" + (l === "ja" ? "" : THIN) + "0.1", l);
	return percentText(formatter(1).format(v * 100), l);
}

// A share in a sentence: whole from ten on.
export function shareRound(v: number | null | undefined, l = lang()): string {
	return known(v) && v >= 0.095 ? percentText(formatter(0).format(v * 100), l) : share(v, l);
}

// Very small parts, as of loss.
export function loss(part: number, l = lang()): string {
	if (part > 0 && part < 0.0001) return percentText("<" + (l === "ja" ? "" : THIN) + "0.01", l);
	return percentText(formatter(2, part ? 2 : 0).format(part * 100), l);
}

// How much it changed; from five times on as a factor.
export function change(now: number | null | undefined, before: number | null | undefined, l = lang()): string {
	if (!known(now) || !known(before) || before === 0) return NONE;
	const part = now / before - 1;
	if (part >= 5) return `×${formatter(now / before >= 100 ? 0 : 1).format(now / before)}`;
	const text = formatter(1, 1).format(Math.abs(part) * 100);
	return percentText((text === "0.0" ? "±" : part > 0 ? "+" : MINUS) + text, l);
}

// Between two accesses at one address.
export function interval(perDay: number | null | undefined, l = lang()): string {
	if (!known(perDay) || perDay <= 0) return NONE;
	const s = 86400 / perDay;
	const unit = (v: number, en: string, ja: string) => formatter(v < 100 ? 1 : 0).format(v) + (l === "ja" ? ja : NBSP + en);
	if (s < 90) return unit(s, "s", "秒");
	if (s < 5400) return unit(s / 60, "min", "分");
	return s < 172800 ? unit(s / 3600, "h", "時間") : unit(s / 86400, "days", "日");
}

// A length of time by its two largest units.
export function duration(seconds: number | null | undefined, l = lang()): string {
	if (!known(seconds)) return NONE;
	const s = Math.max(0, Math.round(seconds));
	const units: [number, string, string][] = [
		[86400, "d", "日"],
		[3600, "h", "時間"],
		[60, "min", "分"],
		[1, "s", "秒"],
	];
	let at = units.findIndex(u => s >= u[0]);
	if (at < 0) at = 3;
	const [size, en, ja] = units[at]!;
	const whole = Math.floor(s / size),
		next = units[at + 1];
	let text = l === "ja" ? `${whole}${ja}` : `${whole}${NBSP}${en}`;
	const rest = next ? Math.floor((s % size) / next[0]) : 0;
	if (next && rest && at < 2) text += l === "ja" ? `${rest}${next[2]}` : `${NBSP}${rest}${NBSP}${next[1]}`;
	return text;
}

// ---- Moments, in the reader's zone ----
const two = (n: number): string => String(n).padStart(2, "0");
const DAYS: Record<Lang, string[]> = {
	en: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
	ja: ["日", "月", "火", "水", "木", "金", "土"],
};
const LONG_DAYS: string[] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: string[] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export const hourMinute = (d: Date): string => `${two(d.getHours())}:${two(d.getMinutes())}`;

export const dayMonth = (d: Date, l = lang()): string =>
	l === "ja" ? `${d.getMonth() + 1}/${d.getDate()}` : `${d.getDate()}${NBSP}${MONTHS[d.getMonth()]}`;

export const monthYear = (d: Date, l = lang()): string =>
	l === "ja" ? `${d.getFullYear()}年${d.getMonth() + 1}月` : `${MONTHS[d.getMonth()]}${NBSP}${d.getFullYear()}`;

export const weekday = (d: Date, l = lang()): string => (l === "ja" ? `${DAYS.ja[d.getDay()]}曜` : LONG_DAYS[d.getDay()]!);

export function dateTime(d: Date, l = lang()): string {
	return `${dayMonth(d, l)} ${hourMinute(d)}`;
}

export const date = (d: Date, l = lang()): string =>
	l === "ja" ? `${d.getFullYear()}/${d.getMonth() + 1}/${d.getDate()}` : `${dayMonth(d, l)} ${d.getFullYear()}`;

export function zone(d: Date, l = lang()): string {
	const parts = new Intl.DateTimeFormat(l, { timeZoneName: "short" }).formatToParts(d);
	const name = parts.find(p => p.type === "timeZoneName")?.value ?? "";
	return name === "GMT+9" && zoneName() === "Asia/Tokyo" ? "JST" : name; // English has no name for it outside Japan
}

export function clock(d: Date, l = lang()): string {
	return l === "ja"
		? `${d.getMonth() + 1}/${d.getDate()}（${DAYS.ja[d.getDay()]}）${hourMinute(d)} ${zone(d, l)}`
		: `${DAYS.en[d.getDay()]} ${dayMonth(d, l)} ${hourMinute(d)} ${zone(d, l)}`;
}

export const utc = (d: Date): string => d.toISOString().replace(/\.000Z$/, "Z");

// A moment as short as it may be: the time alone of today, with the year when it is of another one.
export function momentOf(d: Date, near = new Date(), l = lang()): string {
	if (d.toDateString() === near.toDateString()) return hourMinute(d);
	return d.getFullYear() === near.getFullYear() ? dateTime(d, l) : `${date(d, l)} ${hourMinute(d)}`;
}

export const moment = (text: string | null | undefined, near = new Date(), l = lang()): string =>
	text ? momentOf(new Date(text), near, l) : NONE;

// The day of a moment beside an axis: without its year when that is this one.
export const dayNear = (d: Date, near = new Date(), l = lang()): string =>
	d.getFullYear() === near.getFullYear() ? dayMonth(d, l) : date(d, l);

export const zoneName = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
