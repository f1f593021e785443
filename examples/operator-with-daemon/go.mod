module github.com/your-org/node-operator

go 1.24
