import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { count, dateTime, hourMinute, rate as rateText, utc } from "../text/format";
import { t } from "../text/strings";
import { type Frame, type Framed, frameOf, gapsOf, hasValues, type Line, pathOf, type Point, runs, xOf, yOf } from "./lines";
import { heightOf } from "./scale";
import { Times } from "./times";

export interface Mark {
	at: number;
	text: string;
	kind: "warning" | "notice" | "change";
}

export interface PlotProps extends Framed {
	label: string; // for who cannot see it
	marks?: Mark[];
	size?: "small" | "tall" | "low";
	ending?: boolean; // name the last value
	why?: string | null; // words in place of lines
	stale?: boolean;
	minutes?: boolean; // times with minutes in the readout
	last?: string | undefined; // what the end of the axis is called
	zoom?: (from: number, to: number) => void;
}

function Gap({ f, gap }: { f: Frame; gap: [number, number] }): JSX.Element {
	const left = xOf(f, gap[0]) / 10,
		width = Math.max(0.15, xOf(f, gap[1]) / 10 - left);
	return (
		<div class="gap" style={{ left: `${left}%`, width: `${width}%` }}>
			{width > 5 && <span class={left > 80 ? "toleft" : ""}>{t("noData")}</span>}
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

const NEAR_END = 0.08; // of the plot: what the name of the last value would cover

// The value at the right end of the first line, above all that lies there, and a hollow point where it is.
function Ending({ f, line }: { f: Frame; line: Line | undefined }): JSX.Element | null {
	const known = line?.points.filter(q => q.v !== null) ?? [],
		p = known[known.length - 1];
	if (!p || p.v === null) return null;
	const x = xOf(f, Math.min(f.to, f.steps ? p.at + f.step : p.at + f.step / 2)) / 10,
		y = yOf(f, p.v);
	const near = known.filter(q => q.at + f.step > f.to - (f.to - f.from) * NEAR_END).map(q => yOf(f, q.v!)),
		top = Math.min(y, ...near);
	return (
		<>
			<div class="point" style={{ left: `${x}%`, top: `${y}%` }} />
			<div class={"ending" + (top < 10 ? " under" : "")} style={{ left: `${x}%`, top: `${top < 10 ? Math.max(y, ...near) : top}%` }}>
				{valueText(p.v)}
			</div>
		</>
	);
}

export function TimePlot(p: PlotProps): JSX.Element {
	const [hover, hoverSet] = useState<number | null>(null);
	const [drag, dragSet] = useState<number | null>(null);
	const f = frameOf(p),
		{ axis } = f;
	const empty = p.why ?? (hasValues(p.lines) ? null : t("noDataRange"));
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
				<Times from={f.from} to={f.to} last={p.last} />
			</div>
		</figure>
	);
}

export function Legend({ lines, more }: { lines: Line[]; more?: JSX.Element | undefined }): JSX.Element {
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
