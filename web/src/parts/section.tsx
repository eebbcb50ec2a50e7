import type { ComponentChildren, JSX } from "preact";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Failure, type Loaded, retry } from "../api/client";
import { moment } from "../text/format";
import { t } from "../text/strings";

// Since when a page's rows are old (the end of the last minute that is known), or null.
export const Stale = createContext<string | null>(null);
// The end of the last minute that the page knows of.
export const Newest = createContext<string | null>(null);

const BEHIND = 90_000; // ms: more than a commit

// Since when a section's own rows are old: its answer is of a commit before.
function behind(of: Loaded<unknown> | undefined, newest: string | null): string | null {
	const own = (of?.data as { as_of?: unknown } | null | undefined)?.as_of;
	return typeof own === "string" && newest && Date.parse(newest) - Date.parse(own) > BEHIND ? own : null;
}

export function failureText(f: Failure): string {
	if (!f.status) return t("unreachable");
	return [f.text || t("failed"), f.code].filter(Boolean).join(" · ");
}

// What stands in place of rows: null when there are some to show.
export function why<T>(of: Loaded<T>, empty?: (data: T) => boolean, words?: string): string | null {
	if (of.data === undefined) return of.failure ? failureText(of.failure) : of.slow ? t("loading") : "";
	return empty?.(of.data) ? (words ?? t("noneRows")) : null;
}

export function Failed({ of, url }: { of: Loaded<unknown>; url: string | null }): JSX.Element | null {
	if (!of.failure || url === null) return null;
	return (
		<p class="failure" role="status">
			<span>{failureText(of.failure)}</span>
			<button type="button" onClick={() => retry(url)}>
				{t("retry")}
			</button>
		</p>
	);
}

export interface SectionProps {
	id: string;
	label: string;
	unit?: string | undefined;
	actions?: ComponentChildren;
	answer?: ComponentChildren;
	of?: Loaded<unknown>;
	url?: string | null;
	class?: string;
	children?: ComponentChildren;
}

// A question, its answer in words, then the evidence.
export function Section(p: SectionProps): JSX.Element {
	const newest = useContext(Newest);
	const stale = useContext(Stale) ?? behind(p.of, newest);
	return (
		<section id={p.id} class={p.class} aria-labelledby={`${p.id}-label`}>
			<div class="eyebrow">
				<h2 id={`${p.id}-label`}>{p.label}</h2>
				{p.unit && <span class="unit">{p.unit}</span>}
				{stale && p.of?.data !== undefined && <span class="asof">{t("asOf", moment(stale))}</span>}
				{p.actions && <span class="actions">{p.actions}</span>}
			</div>
			{p.answer !== undefined && <p class="answer">{p.answer || " "}</p>}
			{p.of && <Failed of={p.of} url={p.url ?? null} />}
			{p.children}
		</section>
	);
}

export function Greys({ rows }: { rows: number }): JSX.Element {
	return (
		<div class="greys" aria-hidden="true">
			{Array.from({ length: rows }, (_, i) => (
				<span key={i} />
			))}
		</div>
	);
}
