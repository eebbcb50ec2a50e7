import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { HitKind, Listing, SearchRow } from "../api/types";
import { Pager } from "../parts/controls";
import { countryHref, networkHref, portHref, sourceHref } from "../parts/ranks";
import { Section } from "../parts/section";
import { type Column, Table } from "../parts/table";
import { usePlace } from "../router";
import { searchAnswer } from "../text/answers";
import { count } from "../text/format";
import { countryName } from "../text/places";
import { serviceName, toolName } from "../text/services";
import { type Key, t } from "../text/strings";
import type { ViewProps } from "./index";

const KINDS: Record<HitKind, Key> = {
	address: "kindAddress", prefix: "kindPrefix", port: "kindPort", country: "kindCountry", network: "kindNetwork", tool: "kindTool", sensor: "kindSensor",
};

// A port may come as 23/tcp or tcp/23.
function portParts(value: string): [string, number | null] {
	const [a = "", b = ""] = value.split("/");
	return /^\d+$/.test(a) ? [b || "tcp", Number(a)] : [a, /^\d+$/.test(b) ? Number(b) : null];
}

function hrefOf(r: SearchRow): string {
	switch (r.kind) {
	case "address": return sourceHref(r.value);
	case "prefix": return `/sources?prefix=${encodeURIComponent(r.value)}`;
	case "port": return portHref(...portParts(r.value));
	case "country": return countryHref(r.value);
	case "network": return networkHref(Number(r.value.replace(/^AS/i, "")));
	case "tool": return `/sources?tool=${encodeURIComponent(r.value)}`;
	case "sensor": return `/trend?sensor=${encodeURIComponent(r.value)}`;
	}
}

function textOf(r: SearchRow): [string, string] {
	switch (r.kind) {
	case "port": return [r.value, serviceName(r.value)];
	case "country": return [countryName(r.value), r.value];
	case "network": return [`AS${r.value.replace(/^AS/i, "")}`, r.text ?? ""];
	case "tool": return [toolName(r.value), ""];
	default: return [r.value, r.text ?? ""];
	}
}

export function Search(_: ViewProps): JSX.Element {
	const { query } = usePlace(), q = (query.get("q") ?? "").trim();
	const url = q ? urlOf("/v1/search", { q, limit: 50, cursor: query.get("cursor") }) : null, of = useApi<Listing<SearchRow>>(url);
	const columns: Column<SearchRow>[] = [
		{ key: "kind", head: t("kind"), class: "soft", cell: r => t(KINDS[r.kind]), text: r => r.kind },
		{ key: "value", head: t("found"), class: "what", cell: r => <a href={hrefOf(r)}>{textOf(r)[0]}</a>, text: r => r.value },
		{ key: "text", head: t("name"), headless: true, class: "soft fill", cell: r => textOf(r)[1], text: r => r.text },
		{ key: "accesses", head: t("accesses"), number: true, cell: r => count(r.accesses), text: r => r.accesses },
	];
	return (
		<>
			<section class="head"><h1>{of.data || !q ? searchAnswer(q, of.data?.rows ?? [], of.data?.next ?? null) : t("search")}</h1><p class="note">{t("searchHint")}</p></section>
			{q && (
				<div class="row">
					<Section id="found" label={t("search")} of={of} url={url}>
						<Table label={t("search")} columns={columns} of={of} id={r => `${r.kind} ${r.value}`} hint={8} empty={" "} />
						<Pager of={of} />
					</Section>
				</div>
			)}
		</>
	);
}
