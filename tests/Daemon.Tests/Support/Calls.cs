using Grpc.Core;

namespace ImageStore.Daemon.Tests.Support;

/// <summary>Looks at how calls end.</summary>
internal static class Calls
{
    public static async Task<Status> FailsAsync<T>(AsyncUnaryCall<T> call, StatusCode code)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(code, failure.StatusCode);
        return failure.Status;
    }

    public static async Task<List<T>> AllAsync<T>(AsyncServerStreamingCall<T> call)
    {
        List<T> all = [];
        await foreach (var one in call.ResponseStream.ReadAllAsync())
        {
            all.Add(one);
        }

        return all;
    }
}
