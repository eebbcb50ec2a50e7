import type { JSX } from "preact";
import type { CoverageRow } from "../api/types";
import { dateTime, duration } from "../text/format";
import { t } from "../text/strings";
import { TimesLine } from "./times";

export interface Begun {
	sensor: string;
	first: number;
} // nothing is missing before it began
type Range = readonly [number, number];
const SHORT = 60_000,
	LATE = 180_000; // ms that are no gap; at the end, where rows are yet to come

export const rangesOf = (rows: CoverageRow[], sensor: string): Range[] =>
	rows
		.filter(r => r.sensor === sensor)
		.map(r => [Date.parse(r.from), Date.parse(r.to)] as const)
		.sort((a, b) => a[0] - b[0]);

export function gapsOf(own: Range[], from: number, to: number): Range[] {
	const out: Range[] = [];
	let end = from;
	for (const [a, b] of own) {
		if (a - end > SHORT) out.push([end, a]);
		end = Math.max(end, b);
	}
	if (to - end > LATE) out.push([end, to]);
	return out;
}

const gapText = ([from, to]: Range): string => `${t("noData")} ${dateTime(new Date(from))}, ${duration((to - from) / 1000)}`;

// For each sensor a line of the time it observed; the rest is shaded.
export function Coverage({
	rows,
	sensors,
	from,
	to,
}: {
	rows: CoverageRow[];
	sensors: Begun[];
	from: number;
	to: number;
}): JSX.Element {
	const x = (at: number): number => Math.min(100, Math.max(0, ((at - from) / (to - from)) * 100));
	return (
		<figure class="heat coverage" role="group" aria-label={t("coverage")}>
			{sensors.map(({ sensor, first }) => {
				const own = rangesOf(rows, sensor),
					gaps = gapsOf(own, Math.max(from, first), to);
				return (
					<div class="line" key={sensor}>
						<span class="head">{sensor}</span>
						<span
							class="track"
							role="img"
							aria-label={`${sensor}: ${gaps.length ? gaps.map(gapText).join("; ") : t("noGap")}`}
						>
							{own.map(([a, b]) => (
								<i key={a} style={{ left: `${x(a)}%`, width: `${x(b) - x(a)}%` }} />
							))}
							{gaps.map(([a, b]) => (
								<b
									key={a}
									style={{ left: `${x(a)}%`, width: `${Math.max(0.2, x(b) - x(a))}%` }}
									title={`${dateTime(new Date(a))} – ${dateTime(new Date(b))}`}
								/>
							))}
						</span>
					</div>
				);
			})}
			<TimesLine from={from} to={to} />
		</figure>
	);
}
