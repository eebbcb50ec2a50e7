import type { JSX } from "preact";
import { urlOf, useApi } from "../api/client";
import type { Listing, SourceRow, ToolRow } from "../api/types";
import { Controls, Narrowed, Pager } from "../parts/controls";
import { Listed } from "../parts/listed";
import { toolColumns } from "../parts/ranks";
import { sourceColumns } from "../parts/sources";
import { usePlace } from "../router";
import { asked, type Span, type Stored, useSpan, viewSpan } from "../span";
import { sourcesAnswer } from "../text/answers";
import { countryName } from "../text/places";
import { toolName } from "../text/services";
import { toolsAnswer } from "../text/sentences";
import { t } from "../text/strings";
import type { ViewProps } from "./index";

const PAGE = 50;

function filters(query: URLSearchParams): { text: string; away: Record<string, null> }[] {
	const out: { text: string; away: Record<string, null> }[] = [];
	const add = (name: string, text: (v: string) => string, away: Record<string, null> = { [name]: null }): void => {
		const v = query.get(name);
		if (v) out.push({ text: text(v), away });
	};
	add("country", countryName);
	add("as", v => `AS${v}`);
	add("tool", v => toolName(v));
	add("port", v => `${v}/${query.get("protocol") ?? "tcp"}`, { port: null, protocol: null });
	return out;
}

const NARROWED = ["country", "as", "tool", "port", "protocol"];

function urls(query: URLSearchParams, span: Span): { sources: string; tools: string } {
	const params = asked(span, query),
		narrow = Object.fromEntries(NARROWED.map(n => [n, query.get(n)]));
	return {
		sources: urlOf("/v1/sources", { ...params, ...narrow, limit: PAGE, cursor: query.get("cursor") }),
		tools: urlOf("/v1/tools", params),
	};
}

export const sourcesAsks = (_: string[], query: URLSearchParams, stored: Stored | undefined): string[] =>
	Object.values(urls(query, viewSpan(query, stored)));

export function Sources({ status }: ViewProps): JSX.Element {
	const { query } = usePlace(),
		span = useSpan(status.data),
		narrowed = filters(query),
		u = urls(query, span);
	const of = useApi<Listing<SourceRow>>(u.sources),
		tools = useApi<Listing<ToolRow>>(u.tools);
	return (
		<>
			<section class="head">
				<h1>{(of.data && sourcesAnswer(of.data.rows, of.data.next, narrowed.length > 0)) || t("sources")}</h1>
				<Controls span={span} />
				<Narrowed by={narrowed} />
			</section>
			<div class="row aside">
				<Listed
					id="list"
					label={t("sources")}
					unit={t("packetsCount")}
					of={of}
					url={u.sources}
					columns={sourceColumns(of.data?.rows)}
					rowId={r => r.source}
					hint={20}
					sorts="sort"
				>
					<Pager of={of} />
				</Listed>
				<Listed
					id="tools"
					label={t("tools")}
					unit={t("shareOfSources")}
					of={tools}
					url={u.tools}
					answer={toolsAnswer(tools.data?.rows ?? [])}
					columns={toolColumns(tools.data?.rows)}
					rowId={r => r.tool}
					empty={t("noneTools")}
					hint={6}
				/>
			</div>
		</>
	);
}
