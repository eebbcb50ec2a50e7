import type { ComponentChildren, JSX } from "preact";
import { count, dateTime, hourMinute, dayMonth } from "../text/format";
import { t } from "../text/strings";
import { ticksOf } from "./scale";

// Rows × time in five steps, of which the first is nothing, and the rest grow by about the same factor: more is further from
// the page's colour. What was not observed is crossed out, never the first step.
export interface HeatRowProps {
	key: string;
	head: ComponentChildren;
	name: string;
	cells: Map<number, number>;
}

const round = (v: number): number => {
	const size = 10 ** Math.floor(Math.log10(v));
	return (
		[2, 5, 10].reduce(
			(best, m) => (Math.abs(Math.log(v / (m * size))) < Math.abs(Math.log(v / (best * size))) ? m : best),
			1,
		) * size
	);
};

export function thresholds(values: number[]): number[] {
	const positive = values.filter(v => v > 0).sort((a, b) => a - b);
	if (!positive.length) return [];
	const at = (q: number): number => Math.max(1, positive[Math.min(positive.length - 1, Math.floor(positive.length * q))]!);
	const low = at(0.1),
		high = at(0.99);
	return [...new Set([1, 2, 3].map(i => round(low * (high / low) ** (i / 4))))];
}

export const stepOf = (v: number, bounds: number[]): number => (v > 0 ? 1 + bounds.filter(b => v >= b).length : 0);

export function Heat({
	label,
	rows,
	from,
	to,
	step,
	seen,
	unit,
}: {
	label: string;
	rows: HeatRowProps[];
	from: number;
	to: number;
	step: number;
	seen?: ((at: number) => boolean) | undefined;
	unit: string;
}): JSX.Element {
	const first = Math.floor(from / step) * step,
		n = Math.max(1, Math.ceil((to - first) / step));
	const bounds = thresholds(rows.flatMap(r => [...r.cells.values()]));
	const when = (at: number): string =>
		step >= 86_400_000 ? dayMonth(new Date(at)) : `${dateTime(new Date(at))}–${hourMinute(new Date(at + step))}`;
	let any = false;
	return (
		<figure class="heat" aria-label={label} role="group">
			{rows.map(r => (
				<div class="line" key={r.key}>
					<span class="head">{r.head}</span>
					<svg
						viewBox={`0 0 ${n} 1`}
						preserveAspectRatio="none"
						role="img"
						aria-label={`${r.name}: ${count([...r.cells.values()].reduce((s, v) => s + v, 0))} ${unit}`}
					>
						{Array.from({ length: n }, (_, i) => {
							const at = first + i * step,
								v = r.cells.get(at),
								lost = v === undefined && seen !== undefined && !seen(at);
							any ||= lost;
							return lost ? (
								<path key={i} class="lost" d={`M${i + 0.1} .9L${i + 0.9} .1`}>
									<title>
										{when(at)} {t("noData")}
									</title>
								</path>
							) : (
								<rect
									key={i}
									class={`m${stepOf(v ?? 0, bounds)}`}
									x={i}
									y="0"
									width={n > 120 ? 1.02 : 0.94}
									height="1"
								>
									<title>{`${r.name} ${when(at)}: ${count(v ?? 0)} ${unit}`}</title>
								</rect>
							);
						})}
					</svg>
				</div>
			))}
			<div class="line" aria-hidden="true">
				<span class="head" />
				<span class="xs">
					{ticksOf(first, first + n * step).map(k => (
						<span
							key={k.at}
							class={(k.minor ? "minor " : "") + (k.near ? "near " : "") + (k.at === 100 ? "end" : "")}
							style={{ left: `${k.at}%` }}
						>
							{k.text}
						</span>
					))}
				</span>
			</div>
			<div class="line">
				<span class="head" />
				<Steps
					bounds={bounds}
					unit={unit}
					more={
						any ? (
							<span class="lostkey">
								<svg viewBox="0 0 1 1">
									<path class="lost" d="M.1 .9L.9 .1" />
								</svg>{" "}
								{t("noData")}
							</span>
						) : undefined
					}
				/>
			</div>
		</figure>
	);
}

// The key of the steps, with the values that part them.
export function Steps({ bounds, unit, more }: { bounds: number[]; unit?: string; more?: ComponentChildren }): JSX.Element {
	return (
		<p class="steps">
			<span class="scale">
				{Array.from({ length: bounds.length + 1 }, (_, i) => (
					<i key={i} class={`m${i + 1}`}>
						{i > 0 && <b>{count(bounds[i - 1])}</b>}
					</i>
				))}
			</span>
			{unit && <span>{unit}</span>}
			{more}
		</p>
	);
}
