import type { JSX } from "preact";
import { t } from "../text/strings";

// A bar for this span and a tick where the last one was.
export function Bar({
	now,
	before,
	most,
	hot,
}: {
	now: number;
	before?: number | null;
	most: number;
	hot?: boolean;
}): JSX.Element {
	const part = (v: number): string => `${Math.min(100, most > 0 ? (v / most) * 100 : 0)}%`;
	return (
		<span class={"bar" + (hot ? " hot" : "")} aria-hidden="true">
			<i style={{ width: part(now) }} />
			{before !== null && before !== undefined && before > 0 && <b style={{ left: part(before) }} />}
		</span>
	);
}

export function RankChange({ rank, before, hot }: { rank: number; before: number | null; hot: boolean }): JSX.Element {
	if (before === null) return <span class="moved isnew">{t("newEntry")}</span>;
	const up = before - rank;
	if (up === 0) return <span class="moved">–</span>;
	return (
		<span class={"moved" + (hot ? " hot" : "")}>
			{up > 0 ? "▲" : "▼"}
			{Math.abs(up)}
		</span>
	);
}

// Parts of a whole, side by side, their lengths in common with other such bars.
export function Split({ parts, most }: { parts: { look: string; v: number }[]; most: number }): JSX.Element {
	return (
		<span class="split" aria-hidden="true">
			{parts.map(p => (
				<i key={p.look} class={p.look} style={{ width: `${most > 0 ? (p.v / most) * 100 : 0}%` }} />
			))}
		</span>
	);
}
