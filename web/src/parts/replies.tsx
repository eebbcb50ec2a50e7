import type { JSX } from "preact";
import { useApi } from "../api/client";
import type { Listing, RateRow, ReplyRow } from "../api/types";
import { Legend, type Mark, type PlotProps, TimePlot } from "../charts/plot";
import { plotPicture } from "../charts/png";
import { type Step, STEP } from "../span";
import { t } from "../text/strings";
import { replyColumns, stepLine } from "./attacks";
import { Charted } from "./charted";
import { framed, STEP_WORD } from "./steps";

// Steps in which no sensor observed, by the answer of /v1/rate over the same steps.
export const darkSteps = (rows: RateRow[] | undefined): Set<number> =>
	new Set((rows ?? []).filter(r => r.observed === 0).map(r => Date.parse(r.moment)));

export interface RepliesProps {
	url: string;
	ratesUrl: string; // tells what was observed
	step: Step;
	name: string;
	marks: Mark[];
	label?: string;
	more?: JSX.Element | undefined; // of the key
}

export function Replies(p: RepliesProps): JSX.Element {
	const of = useApi<Listing<ReplyRow>>(p.url),
		dark = darkSteps(useApi<Listing<RateRow>>(p.ratesUrl).data?.rows),
		rows = of.data?.rows ?? [],
		frame = framed(of, p.step, true),
		unit = t("repliesPer", t(STEP_WORD[p.step])),
		cut = { from: frame.from, to: frame.to, step: STEP[p.step] };
	const lines = of.data ? [stepLine(unit, "now", rows, (r: ReplyRow) => r.packets, cut, dark)] : [];
	const plot: PlotProps = { label: `${p.name}: ${unit}`, lines, marks: p.marks, ...frame };
	return (
		<Charted
			id="replies"
			label={p.label ?? t("backscatter")}
			unit={unit}
			of={of}
			url={p.url}
			columns={replyColumns()}
			rows={[...rows].reverse()}
			rowId={r => `${r.moment} ${r.kind}`}
			picture={() => plotPicture(plot, p.name, unit)}
		>
			<TimePlot {...plot} />
			<Legend lines={lines} more={p.more} />
		</Charted>
	);
}
