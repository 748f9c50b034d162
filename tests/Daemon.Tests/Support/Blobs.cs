using System.Text;
using Google.Protobuf;
using Grpc.Core;
using ImageStore.Daemon.Protocol.ContentV1;
using ImageStore.Store.Oci;

namespace ImageStore.Daemon.Tests.Support;

/// <summary>Writes blobs as clients do.</summary>
internal static class Blobs
{
    public static string DigestOf(string text) => Digest.Compute(Encoding.UTF8.GetBytes(text), DigestAlgorithm.Sha256).ToString();

    public static async Task<string> WriteAsync(this Content.ContentClient content, string text, Metadata headers)
    {
        using var call = content.Write(headers);
        await call.RequestStream.WriteAsync(new WriteContentRequest
        {
            Action = WriteAction.Commit, Ref = $"ref-{DigestOf(text)}", Data = ByteString.CopyFromUtf8(text), Expected = DigestOf(text), Total = Encoding.UTF8.GetByteCount(text),
        });
        Assert.True(await call.ResponseStream.MoveNext(default));
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(default));
        return DigestOf(text);
    }
}
