import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { count, dateTime, hourMinute, rate as rateText, utc } from "../text/format";
import { useStatus } from "../state";
import { t } from "../text/strings";
import { plotSave } from "./png";
import { type Axis, axisOf, heightOf, ticksOf } from "./scale";

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
export interface Mark {
	at: number;
	text: string;
	kind: "warning" | "notice" | "change";
}

export interface PlotProps {
	label: string; // for who cannot see it
	lines: Line[];
	from: number;
	to: number;
	step: number; // ms
	steps?: boolean; // as steps, else as lines through their middles
	log?: boolean;
	marks?: Mark[];
	size?: "small" | "tall" | "low";
	ending?: boolean; // name the last value
	why?: string | null; // words in place of lines
	stale?: boolean;
	minutes?: boolean; // times with minutes in the readout
	last?: string | undefined; // what the end of the axis is called
	zoom?: (from: number, to: number) => void;
}

const round = (n: number): number => Math.round(n * 100) / 100;

interface Frame {
	from: number;
	to: number;
	step: number;
	axis: Axis;
	steps: boolean;
}

const xOf = (f: Frame, at: number): number => round(((at - f.from) / (f.to - f.from)) * 1000);
const yOf = (f: Frame, v: number): number => round(100 - heightOf(f.axis, v));

interface Run {
	part: boolean;
	start: number | null;
	points: { at: number; v: number }[];
}

// Runs without a gap: what is missing is missing, and what is still being counted is apart, joined to what it goes on from.
function runs(line: Line, f: Frame): Run[] {
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

function pathOf(run: Run, f: Frame): string {
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
function gapsOf(line: Line | undefined, f: Frame): [number, number][] {
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

function Gap({ f, gap }: { f: Frame; gap: [number, number] }): JSX.Element {
	const left = xOf(f, gap[0]) / 10,
		width = Math.max(0.15, xOf(f, gap[1]) / 10 - left);
	return (
		<div class="gap" style={{ left: `${left}%`, width: `${width}%` }}>
			{width > 0.6 && <span class={left > 80 ? "toleft" : ""}>{t("noData")}</span>}
		</div>
	);
}

function nearest(line: Line, at: number, step: number): Point | undefined {
	return line.points.find(p => at >= p.at && at < p.at + step);
}

const valueText = (v: number | null | undefined): string =>
	v === null || v === undefined ? t("noData") : Math.abs(v) >= 1000 || Number.isInteger(v) ? count(v) : rateText(v);

function Readout({ f, lines, at, minutes }: { f: Frame; lines: Line[]; at: number; minutes: boolean }): JSX.Element {
	const begin = lines[0]?.points.find(p => at >= p.at && at < p.at + f.step)?.at ?? Math.floor(at / f.step) * f.step;
	const x = xOf(f, f.steps ? begin + f.step / 2 : begin + f.step / 2) / 10;
	const d = new Date(begin),
		end = new Date(begin + f.step);
	return (
		<div class={"readout" + (x > 60 ? " toleft" : "")} style={{ left: `${Math.min(100, Math.max(0, x))}%` }} title={utc(d)}>
			<span class="when">{minutes ? `${dateTime(d)}–${hourMinute(end)}` : dateTime(d)}</span>
			{lines.map(l => (
				<span key={l.name} class={"value " + l.look}>
					{l.name} <b>{valueText(nearest(l, at, f.step)?.v)}</b>
				</span>
			))}
		</div>
	);
}

function Marks({ f, marks }: { f: Frame; marks: Mark[] }): JSX.Element {
	return (
		<>
			{marks
				.filter(m => m.at >= f.from && m.at <= f.to)
				.map(m => {
					const left = xOf(f, m.at) / 10;
					return (
						<div key={m.at} class={`mark ${m.kind}`} style={{ left: `${left}%` }}>
							<span class={left > 20 ? "toleft" : ""}>{m.text}</span>
						</div>
					);
				})}
		</>
	);
}

// The value at the right end of the first line, and a hollow point where it is still being counted.
function Ending({ f, line }: { f: Frame; line: Line | undefined }): JSX.Element | null {
	const p = line?.points.filter(q => q.v !== null).pop();
	if (!p || p.v === null) return null;
	const x = xOf(f, Math.min(f.to, f.steps ? p.at + f.step : p.at + f.step / 2)) / 10,
		y = yOf(f, p.v);
	return (
		<>
			<div class="point" style={{ left: `${x}%`, top: `${y}%` }} />
			<div class={"ending" + (y < 18 ? " under" : "")} style={{ left: `${x}%`, top: `${y}%` }}>
				{valueText(p.v)}
			</div>
		</>
	);
}

export function TimePlot(p: PlotProps): JSX.Element {
	const [hover, hoverSet] = useState<number | null>(null);
	const [drag, dragSet] = useState<number | null>(null);
	const values = p.lines.flatMap(l => l.points.map(q => q.v)).filter((v): v is number => v !== null);
	const axis = axisOf(Math.max(0, ...values), p.log, Math.min(...values.filter(v => v > 0), Infinity));
	const f: Frame = { from: p.from, to: Math.max(p.to, p.from + 1), step: p.step, axis, steps: p.steps === true };
	const empty = p.why ?? (values.length ? null : t("noDataRange"));
	const timeAt = (e: PointerEvent): number => {
		const box = (e.currentTarget as Element).getBoundingClientRect();
		return f.from + Math.min(1, Math.max(0, (e.clientX - box.left) / box.width)) * (f.to - f.from);
	};
	const end = (e: PointerEvent): void => {
		const at = timeAt(e);
		if (drag !== null && p.zoom && Math.abs(at - drag) > p.step * 2) p.zoom(Math.min(at, drag), Math.max(at, drag));
		dragSet(null);
	};
	return (
		<figure class={`plot ${p.size ?? ""} ${p.stale ? "stale" : ""}`} role="img" aria-label={p.label}>
			<div class="ys" aria-hidden="true">
				{axis.lines.map(v => (
					<span key={v} style={{ bottom: `${heightOf(axis, v)}%` }}>
						{Math.abs(v) >= 10 || Number.isInteger(v) ? count(v) : rateText(v)}
					</span>
				))}
			</div>
			<div
				class={"area" + (p.zoom ? " zooms" : "")}
				aria-hidden="true"
				onPointerMove={e => hoverSet(timeAt(e))}
				onPointerLeave={() => {
					hoverSet(null);
					dragSet(null);
				}}
				onPointerDown={e => p.zoom && e.button === 0 && dragSet(timeAt(e))}
				onPointerUp={end}
			>
				{!empty && gapsOf(p.lines[0], f).map(g => <Gap key={g[0]} f={f} gap={g} />)}
				<svg viewBox="0 0 1000 100" preserveAspectRatio="none">
					{axis.lines.map(v => (
						<path key={v} class={v === axis.lines[0] ? "zero" : "grid"} d={`M0 ${yOf(f, v)}H1000`} />
					))}
					{!empty &&
						[...p.lines]
							.reverse()
							.flatMap(l =>
								runs(l, f).map((r, i) => (
									<path key={l.name + i} class={`line ${l.look}${r.part ? " part" : ""}`} d={pathOf(r, f)} />
								)),
							)}
				</svg>
				{p.marks && <Marks f={f} marks={p.marks} />}
				{!empty && p.ending && <Ending f={f} line={p.lines[0]} />}
				{drag !== null && hover !== null && (
					<div
						class="dragged"
						style={{
							left: `${xOf(f, Math.min(drag, hover)) / 10}%`,
							width: `${Math.abs(xOf(f, drag) - xOf(f, hover)) / 10}%`,
						}}
					/>
				)}
				{!empty && hover !== null && (
					<>
						<div class="rule" style={{ left: `${xOf(f, hover) / 10}%` }} />
						<Readout f={f} lines={p.lines} at={hover} minutes={p.minutes === true} />
					</>
				)}
				{empty && <p class="why">{empty}</p>}
			</div>
			<div class="xs" aria-hidden="true">
				{ticksOf(f.from, f.to).map(k => (
					<span
						key={k.at}
						class={(k.minor ? "minor " : "") + (k.near ? "near " : "") + (k.at === 100 ? "end" : "")}
						style={{ left: `${k.at}%` }}
					>
						{k.at === 100 && p.last ? p.last : k.text}
					</span>
				))}
			</div>
		</figure>
	);
}

export function SavePlot({ plot, title, unit }: { plot: PlotProps; title: string; unit: string }): JSX.Element {
	const status = useStatus();
	return (
		<button type="button" onClick={() => plotSave(plot, title, unit, status.data?.simulated === true)}>
			{t("png")}
		</button>
	);
}

export function Legend({ lines, more }: { lines: Line[]; more?: JSX.Element }): JSX.Element {
	return (
		<p class="key">
			{lines.map(l => (
				<span key={l.name}>
					<i class={`swatch ${l.look}`} />
					{l.name}
				</span>
			))}
			{more}
		</p>
	);
}
