# What a policy may do to whoever evaluates it, one entrypoint a way.
package hostile

# Whatever the call says, so that a test can answer anything.
echo := input.input.answer

# A product of three lists: cut off long before it ends.
loop contains {"rule": "never", "effect": "allow"} if {
	some a in input.input.list
	some b in input.input.list
	some c in input.input.list
	a == concat("", [b, c, "never"])
}

# Memory instead of time.
hoard := [x | some a in numbers.range(1, 100000); x := [a, a, a, a]]

# An answer that nobody could have asked for.
flood := {"rule": "flood", "effect": "deny", "message": concat("", [x | some _ in numbers.range(1, 200); x := input.input.text])}

# Two values for one rule: an error of the evaluation.
conflict := {"rule": "a", "effect": "allow"} if input.input.amount > 0

conflict := {"rule": "b", "effect": "allow"} if input.input.amount > 1

# The builtins that are left to the host.
host := {"rule": "host", "effect": "deny", "message": sprintf("%s paid %d of %.2f at %v", [input.agent.id, 5, 7.125, time.now_ns()])}

# A verb that is not to be had.
verb := {"rule": "verb", "effect": "allow", "message": sprintf("%q", ["x"])}

# A pattern that holds up whoever tries every way to match it.
pattern := {"rule": "pattern", "effect": "allow"} if not regex.match("^(a+)+$", input.input.text)

# Every fact there is.
facts := {"rule": "facts", "effect": "deny", "message": json.marshal(object.remove(input, ["input"]))}
