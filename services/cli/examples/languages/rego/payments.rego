# The same decisions as ../native/payments.yaml. Everything that matches is in the set; what is in it is combined by
# Remit: deny > clarify > escalate > transform > allow.
package payments

transfer if input.tool.name == "payments.transfer"

mail if input.tool.name == "mail.send"

large if input.input.amount > 500

decisions contains {
	"rule": "small-transfers",
	"effect": "allow",
	"constraints": {"timeout": "10s", "maxOutputBytes": 65536},
} if {
	transfer
	input.input.amount <= 500
	not "untrusted" in object.keys(input.session.labels)
}

decisions contains {
	"rule": "large-transfers",
	"effect": "escalate",
	"approval": {
		"approvers": ["group:finance-leads"],
		"quorum": 2,
		"expires": "15m",
		"summary": "A large transfer",
	},
} if {
	transfer
	large
}

decisions contains {
	"rule": "say-why",
	"effect": "clarify",
	"questions": [{"id": "memo", "type": "string", "ask": "What is this payment for?"}],
} if {
	transfer
	not input.input.memo
	not input.answers.memo
}

decisions contains {
	"rule": "never-abroad",
	"effect": "deny",
	"message": "Transfers stay in Germany.",
	"remedy": "Use an account in Germany.",
} if {
	transfer
	input.input.country != "DE"
}

decisions contains {
	"rule": "copy-the-archive",
	"effect": "transform",
	"set": {"copy": "archive@acme.com"},
} if {
	mail
	object.get(input.input, "copy", null) != "archive@acme.com"
}

decisions contains {"rule": "mail-by-the-first-attempts", "effect": "allow"} if {
	mail
	input.call.attempt <= 3
}
