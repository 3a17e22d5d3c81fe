# What agents may do, by the arguments of their calls.
package agents

default allow := false

allow if {
	permitted
	not forbidden
}

permitted if {
	input.tool.name == "payments.transfer"
	input.input.cents <= 50000
	input.input.country in ["DE", "AT"]
}

permitted if {
	input.tool.name == "mail.send"
	input.input.domain in ["acme.com", "acme.de"]
}

permitted if {
	input.tool.name == "fs.write"
	startswith(input.input.path, "/workspace/")
}

permitted if {
	input.tool.name == "orders.refund"
	input.input.cents <= input.input.total
	input.input.total <= 100000
}

permitted if {
	input.tool.name == "http.get"
	input.input.host == "api.acme.com"
}

permitted if input.tool.name == "search.query"

forbidden if {
	input.tool.name == "payments.transfer"
	input.session.labels.untrusted
}

forbidden if {
	input.tool.name == "mail.send"
	input.input.attachments > 3
}

forbidden if {
	input.tool.name == "fs.write"
	contains(input.input.path, "..")
}

forbidden if not input.principal.verified

decisions contains {"rule": "permitted", "effect": "allow"} if permitted

decisions contains {"rule": "forbidden", "effect": "deny"} if forbidden
