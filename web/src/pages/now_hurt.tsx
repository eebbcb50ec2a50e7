import type { JSX } from "preact";
import { useApi } from "../api/client";
import type { AttackRow, Listing } from "../api/types";
import { attackEstimate, attacksUrl, victimHref } from "../parts/attacks";
import { Section } from "../parts/section";
import { Time } from "../parts/time";
import { attacksAnswer, sensitivityAnswer, sensitivityOf } from "../text/attacks";
import { t } from "../text/strings";

// Now, who is hurt: attacks that go on, else those of the day; none only where one could have been seen.
const DAY = { from: "-24h", to: null };
export const HURT_URL = attacksUrl(DAY);
const SHOWN = 2;

function Attack({ row, addresses }: { row: AttackRow; addresses: number | null | undefined }): JSX.Element {
	return (
		<tr>
			<td class="mono what">
				<a href={victimHref(row.victim)}>{row.victim}</a> <span class="soft">{row.protocol}</span>
			</td>
			<td class="n soft">
				<Time at={new Date(row.first * 1000).toISOString()} />
			</td>
			<td class="n strong">{attackEstimate(row, addresses)}</td>
		</tr>
	);
}

export function useHurt(addresses: number | null | undefined): JSX.Element | null {
	const of = useApi<Listing<AttackRow>>(HURT_URL),
		rows = of.data?.rows ?? [],
		asOf = Date.parse(of.data?.as_of ?? "") || 0;
	const shown = [...rows].sort((a, b) => b.last - a.last || b.packets - a.packets).slice(0, SHOWN),
		seen = sensitivityOf(addresses) !== null || rows.length > 0;
	if (addresses === undefined) return null; // what there is at all is not known yet
	return (
		<Section
			id="hurt"
			label={t("hurt")}
			unit={shown.length ? t("estimateUnit") : t("last24h")}
			of={of}
			url={HURT_URL}
			answer={of.data ? (seen ? attacksAnswer(rows, asOf, addresses, "24h") : sensitivityAnswer(addresses)) : ""}
			actions={<a href="/attacks">{t("attacks")}</a>}
		>
			{shown.length > 0 && (
				<table aria-label={t("attacks")}>
					<tbody>
						{shown.map(r => (
							<Attack key={r.victim + r.first} row={r} addresses={addresses} />
						))}
					</tbody>
				</table>
			)}
		</Section>
	);
}
