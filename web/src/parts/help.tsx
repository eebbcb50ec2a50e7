import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { help } from "../keys";
import { useCell } from "../store";
import { t } from "../text/strings";
import { VIEWS } from "./header";

export function Help(): JSX.Element {
	const open = useCell(help),
		dialog = useRef<HTMLDialogElement>(null);
	useEffect(() => {
		const d = dialog.current;
		if (open && d && !d.open) d.showModal();
		else if (!open && d?.open) d.close();
	}, [open]);
	return (
		<dialog
			ref={dialog}
			aria-labelledby="help-title"
			onClose={() => help.set(false)}
			onClick={e => e.target === dialog.current && help.set(false)}
		>
			<div class="sheet">
				<h2 id="help-title">{t("keyboard")}</h2>
				<dl>
					<dt>
						<kbd>/</kbd>
					</dt>
					<dd>{t("search")}</dd>
					<dt>
						<kbd>j</kbd> <kbd>k</kbd>
					</dt>
					<dd>{t("keysRows")}</dd>
					{VIEWS.map(v => (
						<>
							<dt>
								<kbd>g</kbd> <kbd>{v.letter}</kbd>
							</dt>
							<dd>{t(v.key)}</dd>
						</>
					))}
					<dt>
						<kbd>?</kbd>
					</dt>
					<dd>{t("keysHelp")}</dd>
				</dl>
				<button type="button" onClick={() => help.set(false)}>
					{t("close")}
				</button>
			</div>
		</dialog>
	);
}
