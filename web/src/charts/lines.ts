import { type Axis, axisOf, heightOf } from "./scale";

// Lines over time, in a frame of 1000 × 100: what the page and a picture of it have in common.
export interface Point {
	at: number;
	v: number | null;
	part?: boolean;
} // ms since 1970: where its step begins
export interface Line {
	name: string;
	look: "now" | "before" | "low" | "high" | "without" | "plain";
	points: Point[];
}
const round = (n: number): number => Math.round(n * 100) / 100;

export interface Frame {
	from: number;
	to: number;
	step: number;
	axis: Axis;
	steps: boolean;
}

// What a plot is of; its axis fits all its lines.
export interface Framed {
	lines: Line[];
	from: number;
	to: number;
	step: number; // ms
	steps?: boolean; // as steps, else as lines through their middles
	log?: boolean;
}

export function frameOf(p: Framed): Frame {
	const values = p.lines.flatMap(l => l.points.map(q => q.v)).filter((v): v is number => v !== null);
	const axis = axisOf(Math.max(0, ...values), p.log, Math.min(...values.filter(v => v > 0), Infinity));
	return { from: p.from, to: Math.max(p.to, p.from + 1), step: p.step, axis, steps: p.steps === true };
}

export const hasValues = (lines: Line[]): boolean => lines.some(l => l.points.some(p => p.v !== null));

export const xOf = (f: Frame, at: number): number => round(((at - f.from) / (f.to - f.from)) * 1000);
export const yOf = (f: Frame, v: number): number => round(100 - heightOf(f.axis, v));

export interface Run {
	part: boolean;
	start: number | null;
	points: { at: number; v: number }[];
}

// Runs without a gap: what is missing is missing, and what is still being counted is apart, joined to what it goes on from.
export function runs(line: Line, f: Frame): Run[] {
	const out: Run[] = [];
	let last: Point | null = null;
	for (const p of line.points) {
		if (p.v === null || p.at < f.from - f.step || p.at > f.to) {
			last = null;
			continue;
		}
		const follows: boolean = last !== null && p.at - last.at < f.step * 1.5;
		const part = p.part === true;
		let run = follows ? out[out.length - 1] : undefined;
		if (!run || run.part !== part) {
			const joined = run && part ? run.points.slice(-1) : [];
			run = { part, start: f.steps ? (joined[0]?.v ?? null) : null, points: f.steps ? [] : joined };
			out.push(run);
		}
		run.points.push({ at: p.at, v: p.v });
		last = p;
	}
	return out;
}

function stepsPath({ points, start }: Run, f: Frame): string {
	let path = start === null ? "" : `M${xOf(f, Math.max(points[0]!.at, f.from))} ${yOf(f, start)}`;
	for (const { at, v } of points) {
		const y = yOf(f, v);
		path += `${path ? `V${y}` : `M${xOf(f, Math.max(at, f.from))} ${y}`}H${xOf(f, Math.min(at + f.step, f.to))}`;
	}
	return path;
}

export function pathOf(run: Run, f: Frame): string {
	const first = run.points[0]!;
	if (f.steps) return stepsPath(run, f);
	if (run.points.length === 1)
		// alone between two gaps: a line as long as its step
		return `M${xOf(f, first.at)} ${yOf(f, first.v)}H${xOf(f, first.at + f.step)}`;
	return run.points
		.map(({ at, v }, i) => `${i ? "L" : "M"}${xOf(f, Math.min(f.to, Math.max(f.from, at + f.step / 2)))} ${yOf(f, v)}`)
		.join("");
}

// Times without a value in the first line, between its first value and the end.
export function gapsOf(line: Line | undefined, f: Frame): [number, number][] {
	const out: [number, number][] = [];
	if (!line) return out;
	let end = -1;
	for (const p of line.points) {
		if (p.v === null) continue;
		if (end >= 0 && p.at - end > f.step * 0.5) out.push([end, p.at]);
		end = p.at + f.step;
	}
	return out;
}
