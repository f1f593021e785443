module example.com/cluster-testing/chains

go 1.26.0

require github.com/tektoncd/chains v0.26.2

replace (
	github.com/alibabacloud-go/cr-20160607 => github.com/vdemeester/cr-20160607 v1.0.1
	github.com/golang/glog => github.com/jdolitsky/glog v0.0.0-20220729172235-78744e90d087
)
