import type { JSX } from "preact";
import { useApi } from "../api/client";
import type { Listing, PortRow } from "../api/types";
import { LiveRow } from "../parts/live";
import { failureText } from "../parts/section";
import { useWhole } from "../parts/trust";
import { lengthOf, type Stored } from "../span";
import { lang } from "../text/language";
import { mover, nowLead } from "../text/sentences";
import { t } from "../text/strings";
import type { ViewProps } from "./index";
import { Big, DayChart, ratesAsks, useDayUrl, useThen, WeeksChart } from "./now_rates";
import { HURT_URLS, useHurt } from "./now_hurt";
import { Countries, Networks, Ports, PORTS_URL, Tools, WHOM_URLS } from "./now_whom";

export const nowAsks = (_: string[], __: URLSearchParams, stored: Stored | undefined): string[] => [
	...ratesAsks(stored),
	...WHOM_URLS,
	...HURT_URLS,
];

export function Now({ status }: ViewProps): JSX.Element {
	const whole = useWhole(),
		stored = status.data,
		{ week, day, then } = useThen(stored?.as_of ?? null);
	const ports = useApi<Listing<PortRow>>(PORTS_URL),
		{ short } = useDayUrl(status),
		row = whole.data?.rows[0];
	const hurt = useHurt(stored?.addresses);
	const because = then.days === 1 ? mover(ports.data?.rows ?? [], row?.rate ?? null, then.before.rate) : null;
	return (
		<>
			<LiveRow
				hurt={hurt}
				lead={
					nowLead(row, then.before, because?.row ?? null, lang(), short ? (lengthOf(stored) ?? 0) / 1000 : null) ||
					(whole.data ? t("nothingYet") : whole.failure ? failureText(whole.failure) : "")
				}
			/>
			<div class={"row rates" + (short ? " short" : "")}>
				<Big whole={whole} then={then} week={week} day={day} asOf={stored?.as_of ?? null} short={short} />
				<DayChart then={then} ports={ports.data?.rows ?? []} whole={row} status={status} />
				{!short && <WeeksChart capturing={stored?.capturing === true} />}
			</div>
			<div class="row whom">
				<Ports ports={ports} whole={row} day={day} />
				<Countries />
				<div class="stack">
					<Networks />
					<Tools />
				</div>
			</div>
		</>
	);
}
