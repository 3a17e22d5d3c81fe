# Who may use which tool, by role alone.
package rbac

default allow := false

grants := {
	"admin": ["doc.read", "doc.write", "doc.delete", "doc.share", "audit.read"],
	"editor": ["doc.read", "doc.write", "doc.share"],
	"auditor": ["doc.read", "audit.read"],
	"viewer": ["doc.read"],
}

allow if input.tool.name in grants[input.agent.labels.role]

decisions contains {"rule": "granted", "effect": "allow"} if allow
