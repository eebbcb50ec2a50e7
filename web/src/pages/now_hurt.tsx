import type { JSX } from "preact";
import { useApi } from "../api/client";
import type { AttackCountRow, AttackRow, Listing, OnsetRow, SensitivityRow } from "../api/types";
import { asOfOf, DAY_COUNTS_URL, DAY_SEEN_URL, GOING_URL, goingOf, type GoingRow, goingRows, State, WATCHED_URL } from "../parts/attacks";
import { PortLink } from "../parts/ranks";
import { Section } from "../parts/section";
import { Time } from "../parts/time";
import { attacksAnswer, estimateText, sensitivityAnswer } from "../text/attacks";
import { t } from "../text/strings";

// Now, who is hurt: attacks that go on and onsets under watch, and how many there were; none only where one could have been seen.
export const HURT_URLS = [GOING_URL, WATCHED_URL, DAY_COUNTS_URL, DAY_SEEN_URL];
const SHOWN = 2;

function Attack({ row }: { row: GoingRow }): JSX.Element {
	return (
		<tr>
			<td class="mono what">
				<a href={row.href}>{row.victim}</a>
			</td>
			<td class="soft">
				<PortLink {...row} />
			</td>
			<td class="n soft">
				<Time at={row.since} />
			</td>
			<td class="n strong">{row.confirmed ? estimateText(row.rate) : <State confirmed={false} />}</td>
		</tr>
	);
}

export function useHurt(addresses: number | null | undefined): JSX.Element | null {
	const of = useApi<Listing<AttackRow>>(GOING_URL),
		onsets = useApi<Listing<OnsetRow>>(WATCHED_URL),
		counts = useApi<Listing<AttackCountRow>>(DAY_COUNTS_URL),
		seen = useApi<Listing<SensitivityRow>>(DAY_SEEN_URL);
	const rows = goingRows(of.data?.rows ?? [], onsets.data?.rows ?? [], asOfOf(of.data)),
		all = counts.data?.rows.find(r => r.definition === "monomi" && r.verdict === "attack")?.attacks ?? 0,
		can = seen.data?.rows[0],
		above = can?.early_hour ?? null;
	if (addresses === undefined) return null; // what there is at all is not known yet
	const asked = [
		[of, GOING_URL],
		[counts, DAY_COUNTS_URL],
		[seen, DAY_SEEN_URL],
	] as const;
	const [broken, url] = asked.find(([x]) => x.failure) ?? asked[0];
	const known = of.data && counts.data && seen.data,
		answer = above || all || rows.length ? attacksAnswer(all, goingOf(rows), above, "24h") : sensitivityAnswer(can);
	return (
		<Section
			id="hurt"
			label={t("hurt")}
			unit={rows.length ? t("estimateUnit") : t("last24h")}
			of={broken}
			url={url}
			answer={known ? answer : ""}
			actions={<a href="/attacks">{t("attacks")}</a>}
		>
			{rows.length > 0 && (
				<table aria-label={t("attacks")}>
					<tbody>
						{rows.slice(0, SHOWN).map(r => (
							<Attack key={r.href + r.since} row={r} />
						))}
					</tbody>
				</table>
			)}
		</Section>
	);
}
