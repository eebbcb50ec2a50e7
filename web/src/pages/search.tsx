import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { CountryRow, HitKind, Listing, SearchRow } from "../api/types";
import { countryHref, networkHref, portHref, sourceHref } from "../parts/ranks";
import { Section } from "../parts/section";
import { type Column, Table } from "../parts/table";
import { usePlace } from "../router";
import { searchAnswer } from "../text/answers";
import { count } from "../text/format";
import { LANGS } from "../text/language";
import { countryName } from "../text/places";
import { portKey, serviceName, servicesNamed, toolName } from "../text/services";
import { type Key, t } from "../text/strings";
import type { ViewProps } from "./index";

const KINDS: Record<HitKind, Key> = {
	address: "kindAddress",
	prefix: "kindPrefix",
	port: "kindPort",
	country: "kindCountry",
	network: "kindNetwork",
	tool: "kindTool",
	sensor: "kindSensor",
};

// A port may come as 23/tcp or tcp/23.
function portParts(value: string): [string, number] {
	const [a = "", b = ""] = value.split("/");
	return /^\d+$/.test(a) ? [b || "tcp", Number(a)] : [a, Number(b)];
}

// A prefix has no page of its own.
function hrefOf(r: SearchRow): string | null {
	switch (r.kind) {
		case "address":
			return sourceHref(r.value);
		case "port":
			return portHref(...portParts(r.value));
		case "country":
			return countryHref(r.value);
		case "network":
			return networkHref(Number(r.value.replace(/^AS/i, "")));
		case "tool":
			return `/sources?tool=${encodeURIComponent(r.value)}`;
		case "sensor":
			return `/trend?sensor=${encodeURIComponent(r.value)}`;
		default:
			return null;
	}
}

function textOf(r: SearchRow): [string, string] {
	switch (r.kind) {
		case "port": {
			const key = portKey(...portParts(r.value));
			return [key, serviceName(key)];
		}
		case "country":
			return [countryName(r.value), r.value];
		case "network": {
			const key = `AS${r.value.replace(/^AS/i, "")}`;
			return [key, r.text && r.text !== key ? r.text : ""];
		}
		case "tool":
			return [toolName(r.value), ""];
		case "prefix":
			return [r.value, t("sourcesIn", count(parseInt(r.text ?? "", 10)))];
		default:
			return [r.value, r.text && r.text !== r.value ? r.text : ""];
	}
}

function Hit({ row }: { row: SearchRow }): JSX.Element {
	const href = hrefOf(row),
		text = textOf(row)[0];
	return href ? <a href={href}>{text}</a> : <>{text}</>;
}

const LEAST = 2; // letters, for names

// What only the pages know: names of countries in both languages, and what ports are for.
function useNamed(q: string): SearchRow[] {
	const worth = q.length >= LEAST && /[^\d.:/]/.test(q);
	const countries =
		useApi<Listing<CountryRow>>(worth ? urlOf("/v1/countries", { from: "-24h", limit: 300 }) : null).data?.rows ?? [];
	if (!worth) return [];
	const wanted = q.toLowerCase();
	const named = (code: string): boolean => LANGS.some(l => countryName(code, l).toLowerCase().includes(wanted));
	return [
		...countries
			.filter(r => r.country && named(r.country))
			.map(r => ({ kind: "country" as const, value: r.country!, text: null, accesses: r.accesses })),
		...servicesNamed(q).map(value => ({ kind: "port" as const, value, text: null, accesses: null })),
	];
}

// The same thing found twice is one.
function merged(rows: SearchRow[], more: SearchRow[]): SearchRow[] {
	const key = (r: SearchRow): string => r.kind + " " + textOf(r)[0],
		seen = new Set(rows.map(key));
	return [...rows, ...more.filter(r => !seen.has(key(r)))];
}

const searchUrl = (q: string): string | null => (q ? urlOf("/v1/search", { q }) : null);
export const searchAsks = (_: string[], query: URLSearchParams): (string | null)[] => [searchUrl((query.get("q") ?? "").trim())];

export function Search(_: ViewProps): JSX.Element {
	const { query } = usePlace(),
		q = (query.get("q") ?? "").trim();
	const url = searchUrl(q),
		of = useApi<Listing<SearchRow>>(url);
	const more = useNamed(q),
		rows = merged(of.data?.rows ?? [], more);
	const columns: Column<SearchRow>[] = [
		{ key: "kind", head: t("kind"), class: "soft", cell: r => t(KINDS[r.kind]), text: r => r.kind },
		{ key: "value", head: t("found"), class: "what", cell: r => <Hit row={r} />, text: r => r.value },
		{ key: "text", head: t("name"), headless: true, class: "soft fill", cell: r => textOf(r)[1], text: r => r.text },
		{ key: "accesses", head: t("accesses"), number: true, cell: r => count(r.accesses), text: r => r.accesses },
	];
	return (
		<>
			<section class="head">
				<h1>{of.data || !q ? searchAnswer(q, rows) : t("search")}</h1>
				<p class="note">{t("searchHint")}</p>
			</section>
			{q && (
				<div class="row">
					<Section id="found" label={t("search")} of={of} url={url}>
						<Table
							label={t("search")}
							columns={columns}
							of={of}
							rows={rows}
							id={r => `${r.kind} ${r.value}`}
							hint={8}
							empty={" "}
						/>
					</Section>
				</div>
			)}
		</>
	);
}
