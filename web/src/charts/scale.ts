import { dayMonth, dayNear, hourMinute, monthYear } from "../text/format";
import { lang, type Lang } from "../text/language";

// Axes: at most five grid lines, from zero unless logarithmic; moments at whole hours, days, weeks or months of the reader.
export interface Axis {
	max: number;
	min: number;
	lines: number[];
	log: boolean;
}

export function axisOf(greatest: number, log = false, least = 0): Axis {
	if (log) {
		const low = Math.max(0, Math.floor(Math.log10(Math.max(1, Math.min(least, greatest)))));
		const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(1, greatest))));
		const skip = Math.ceil((high - low) / 4),
			lines: number[] = [];
		for (let e = low; e <= high; e += skip) lines.push(10 ** e);
		return { min: 10 ** low, max: 10 ** high, lines, log };
	}
	if (!(greatest > 0)) return { min: 0, max: 1, lines: [0, 1], log };
	const size = 10 ** Math.floor(Math.log10(greatest / 3));
	const step = [1, 2, 2.5, 5, 10].map(m => m * size).find(s => Math.ceil(greatest / s) <= 4) ?? size * 10;
	const n = Math.ceil(greatest / step - 1e-9);
	return { min: 0, max: n * step, lines: Array.from({ length: n + 1 }, (_, i) => i * step), log };
}

// Where a value lies: 0 at the foot, 100 at the top.
export function heightOf(axis: Axis, v: number): number {
	const part = axis.log
		? Math.log(Math.max(v, axis.min) / axis.min) / Math.log(axis.max / axis.min)
		: (v - axis.min) / (axis.max - axis.min);
	return Math.min(1, Math.max(0, part)) * 100;
}

export interface Tick {
	at: number;
	text: string;
	minor: boolean;
	near: boolean;
} // near: would touch the last one where there is little room

const HOUR = 3_600_000,
	DAY = 24 * HOUR;

function* hours(from: number, to: number, each: number): Generator<Date> {
	const d = new Date(from);
	d.setMinutes(0, 0, 0);
	for (d.setHours(d.getHours() - (d.getHours() % each)); d.getTime() <= to; d.setHours(d.getHours() + each)) yield new Date(d);
}

function* days(from: number, to: number, each: number): Generator<Date> {
	const d = new Date(from);
	for (d.setHours(0, 0, 0, 0); d.getTime() <= to; d.setDate(d.getDate() + each)) yield new Date(d);
}

function* mondays(from: number, to: number): Generator<Date> {
	for (const d of days(from, to, 1)) if (d.getDay() === 1) yield d;
}

function* months(from: number, to: number, each: number): Generator<Date> {
	const d = new Date(from);
	d.setHours(0, 0, 0, 0);
	d.setDate(1);
	for (d.setMonth(d.getMonth() - (d.getMonth() % each)); d.getTime() <= to; d.setMonth(d.getMonth() + each)) yield new Date(d);
}

function minutes(from: number, to: number, each: number): Date[] {
	const step = each * 60_000,
		out: Date[] = [];
	for (let at = Math.ceil(from / step) * step; at <= to; at += step) out.push(new Date(at));
	return out;
}

function candidates(from: number, to: number): Date[] {
	const length = to - from;
	if (length <= 30 * 60_000) return minutes(from, to, 5);
	if (length <= 3 * HOUR) return minutes(from, to, 30);
	if (length <= 2 * DAY) return [...hours(from, to, length <= 8 * HOUR ? 1 : length <= DAY + HOUR ? 3 : 6)];
	if (length <= 10 * DAY) return [...days(from, to, 1)];
	if (length <= 70 * DAY) return [...mondays(from, to)];
	const each = [1, 2, 3, 6, 12].find(m => length / (30 * DAY * m) <= 9) ?? 12;
	return [...months(from, to, each)];
}

function label(d: Date, length: number, first: boolean, l: Lang): string {
	if (length > 70 * DAY) return monthYear(d, l);
	if (length > 2 * DAY) return dayMonth(d, l);
	const midnight = d.getHours() === 0 && d.getMinutes() === 0;
	if (midnight) return first ? dayNear(d, new Date(), l) : dayMonth(d, l);
	return first ? `${dayNear(d, new Date(), l)} ${hourMinute(d)}` : hourMinute(d);
}

// The last moment is always named; what would touch it is left out.
export function ticksOf(from: number, to: number, l = lang()): Tick[] {
	const length = to - from,
		out: Tick[] = [];
	for (const d of candidates(from, to)) {
		const at = ((d.getTime() - from) / length) * 100;
		if (at < (out.length ? 0 : 3.5) || at > 89) continue;
		const first = out.length === 0;
		const text = label(d, length, first, l);
		out.push({ at, text, minor: out.length % 2 === 1, near: at > 80 });
	}
	const end = new Date(to),
		day = dayMonth(end, l),
		alone = !out.some(k => !k.near); // then nothing else says which day it is
	const long = length > 2 * DAY && out[out.length - 1]?.text !== day;
	const text = long ? day : alone ? `${dayNear(end, new Date(), l)} ${hourMinute(end)}` : hourMinute(end);
	out.push({ at: 100, text, minor: false, near: false });
	return out;
}
