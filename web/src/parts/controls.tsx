import type { ComponentChildren, JSX } from "preact";
import type { Listing } from "../api/types";
import type { Loaded } from "../api/client";
import { go, here, usePlace, wanted } from "../router";
import { RANGES, rangeHref, type Span } from "../span";
import { useCell } from "../store";
import { dateTime } from "../text/format";
import { t } from "../text/strings";
import { useSensors } from "./trust";

// What a view is of: its range and sensor, both in the URL. `chosen` false: it shows something else, and a range leads back.
export function Controls({
	span,
	sensor = true,
	chosen = true,
	children,
}: {
	span: Span;
	sensor?: boolean;
	chosen?: boolean;
	children?: ComponentChildren;
}): JSX.Element {
	const asked = useCell(wanted).query,
		named = asked.get("from") ? null : (RANGES.find(r => r.name === asked.get("range"))?.name ?? span.usual);
	return (
		<div class="controls">
			<span class="ranges" role="group" aria-label={t("range")}>
				{RANGES.map(r => (
					<a key={r.name} href={rangeHref(r.name, span.usual)} aria-current={chosen && named === r.name ? "true" : undefined}>
						{t(r.key)}
					</a>
				))}
				{chosen && span.name === null && (
					<a href={here({ cursor: null })} aria-current="true">
						{dateTime(new Date(span.from))} – {dateTime(new Date(span.to ?? ""))}
					</a>
				)}
			</span>
			{children}
			{sensor && <SensorChoice />}
		</div>
	);
}

function SensorChoice(): JSX.Element | null {
	const { query } = usePlace(),
		rows = useSensors().data?.rows ?? [],
		chosen = query.get("sensor") ?? "";
	if (rows.length < 2 && !chosen) return null;
	const names = rows.map(r => r.sensor);
	if (chosen && !names.includes(chosen)) names.push(chosen);
	return (
		<label class="choice">
			<span>{t("sensor")}</span>
			<select value={chosen} onChange={e => go(here({ sensor: e.currentTarget.value || null }))}>
				<option value="">{t("all")}</option>
				{names.map(n => (
					<option key={n} value={n}>
						{n}
					</option>
				))}
			</select>
		</label>
	);
}

// What the URL narrows a view to; each part can be taken away.
export function Narrowed({ by }: { by: { text: string; away: Record<string, null> }[] }): JSX.Element | null {
	if (!by.length) return null;
	return (
		<p class="filters">
			{by.map(f => (
				<a key={f.text} href={here(f.away)}>
					{f.text}
					<span aria-hidden="true"> ×</span>
					<span class="hidden"> {t("filterAway")}</span>
				</a>
			))}
		</p>
	);
}

// Pages of a list follow each other by cursor; the first is without one.
export function Pager({ of }: { of: Loaded<Listing<unknown>> }): JSX.Element | null {
	const { query } = usePlace(),
		next = of.data?.next,
		on = query.get("cursor");
	if (!next && !on) return null;
	return (
		<nav class="pager" aria-label={t("pages")}>
			{on && <a href={here({ cursor: null })}>{t("firstPage")}</a>}
			{next && (
				<a href={here({ cursor: next })} rel="next">
					{t("nextPage")}
				</a>
			)}
		</nav>
	);
}

// The lists above, and where this is.
export function Crumbs({ above, here: place }: { above: [string, string][]; here: JSX.Element | string }): JSX.Element {
	return (
		<nav class="crumbs" aria-label={t("where")}>
			{above.map(([name, href]) => (
				<span key={href}>
					<a href={href}>{name}</a> /{" "}
				</span>
			))}
			<a href={usePlace().path}>{place}</a>
		</nav>
	);
}

export function Facts({ of }: { of: [string, JSX.Element | string | null, (JSX.Element | string | null)?][] }): JSX.Element {
	return (
		<dl class="factline">
			{of
				.filter(f => f[1] !== null)
				.map(([name, value, more]) => (
					<div key={name}>
						<dt>{name}</dt>
						<dd>
							{value}
							{more && <small> {more}</small>}
						</dd>
					</div>
				))}
		</dl>
	);
}
