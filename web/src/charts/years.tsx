import type { JSX } from "preact";
import { count, rate } from "../text/format";
import { t } from "../text/strings";
import { type Axis, heightOf } from "./scale";

// A bar a year, of one value or of bands on each other; a year that is not over, or was not observed from its begin, is
// drawn lighter and says so.
export type YearLook = "low" | "high" | "without" | "total";
export interface YearBar {
	name: string;
	total: number | null; // null: no data
	bands: { look: YearLook; v: number }[];
	part: string | null; // what of it there is, when not all
}
export interface Years {
	rows: YearBar[];
	axis: Axis;
	keys: { look: YearLook; name: string }[];
}

export function YearBars({ label, of }: { label: string; of: Years }): JSX.Element {
	return (
		<figure class="plot tall years" role="img" aria-label={label}>
			<div class="ys" aria-hidden="true">
				{of.axis.lines.map(v => (
					<span key={v} style={{ bottom: `${heightOf(of.axis, v)}%` }}>
						{count(v)}
					</span>
				))}
			</div>
			<div class="area" aria-hidden="true">
				<svg viewBox="0 0 1000 100" preserveAspectRatio="none">
					{of.axis.lines.map(v => (
						<path key={v} class={v === 0 ? "zero" : "grid"} d={`M0 ${100 - heightOf(of.axis, v)}H1000`} />
					))}
				</svg>
				<div class="columns">
					{of.rows.map(r => (
						<div key={r.name} class={"column" + (r.part ? " part" : "")}>
							<span class="value" style={{ bottom: `${heightOf(of.axis, r.total ?? 0)}%` }}>
								{r.total === null ? t("noData") : rate(r.total)}
							</span>
							{r.bands.map((b, i) => (
								<i
									key={b.look}
									class={`swatch ${b.look}`}
									style={{
										bottom: `${heightOf(
											of.axis,
											r.bands.slice(0, i).reduce((n, x) => n + x.v, 0),
										)}%`,
										height: `${heightOf(of.axis, b.v)}%`,
									}}
								/>
							))}
						</div>
					))}
				</div>
			</div>
			<div class="xs columns" aria-hidden="true">
				{of.rows.map(r => (
					<div key={r.name} class="column">
						{r.name}
						{r.part && <small> {r.part}</small>}
					</div>
				))}
			</div>
		</figure>
	);
}
