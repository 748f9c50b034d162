using Grpc.Core;
using ImageStore.Daemon.Protocol.StoreV1;
using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer.Progress;
using ImageStore.Runtime.Protocol.Types;
using ImageStore.Store.Oci;
using BlobProgress = ImageStore.Distribution.Transfer.Progress.BlobProgress;
using Result = ImageStore.Engine.Pull.PullResult;
using Wanted = ImageStore.Engine.Pull.PullRequest;

namespace ImageStore.Cli.Root;

/// <summary>A pull that the daemon does: this process draws it, and answers for whom the registry is asked.</summary>
internal sealed class ServedPull(RegistryOptions registry, TransferProgress progress)
{
    // Of each host for each repository once, and again for a mirror: no pull asks more.
    private const int MaxQuestions = 64;
    private const int MaxBlobs = OciLimits.MaxManifestsPerImage * OciLimits.MaxLayers;

    private readonly List<BlobProgress> _blobs = [];
    private int _questions;

    /// <summary>Has it done.</summary>
    public async Task<Result> RunAsync(DaemonConnection daemon, Wanted wanted, CancellationToken cancellationToken)
    {
        using var call = new Daemon.Protocol.StoreV1.Store.StoreClient(daemon.Invoker).Pull(daemon.Headers, cancellationToken: cancellationToken);
        await call.RequestStream.WriteAsync(new PullMessage { Request = ToWire(wanted) }, cancellationToken).ConfigureAwait(false);
        PullResult? result = null;
        while (await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
        {
            switch (call.ResponseStream.Current)
            {
                case { Progress: { } news }:
                    Draw(news);
                    break;
                case { Question: { } question }:
                    await call.RequestStream.WriteAsync(
                        new PullMessage { Credential = await AnswerAsync(question, cancellationToken).ConfigureAwait(false) }, cancellationToken).ConfigureAwait(false);
                    break;
                case { Result: { } end }:
                    result = end;
                    break;
            }
        }

        return result is null ? throw new RpcException(new Status(StatusCode.Unavailable, "The daemon ended a pull without a result.")) : Of(result);
    }

    private PullRequest ToWire(Wanted wanted) => new()
    {
        Reference = wanted.Reference,
        Platform = wanted.Platform?.ToString() ?? string.Empty,
        AllPlatforms = wanted.AllPlatforms,
        Snapshotter = wanted.Snapshotter ?? string.Empty,
        Unpack = wanted.Unpack,
        Sync = wanted.Sync,
        Policy = wanted.Policy.ToString(),
        Pin = wanted.Pin,
        PlainHttp = wanted.PlainHttp,
        BytesPerSecond = registry.MaxBytesPerSecond ?? 0,

        // It has another folder to begin relative paths in.
        HostsDirectories = { (registry.HostsDirectories ?? []).Select(Path.GetFullPath) },
    };

    private static Result Of(PullResult result) => new(
        result.Name,
        Of(result.Target),
        Digest.Parse(result.Manifest),
        result.UpToDate,
        result.Snapshotter.Length > 0 ? result.Snapshotter : null,
        result.ChainId.Length > 0 ? Digest.Parse(result.ChainId) : null,
        result.BytesDownloaded);

    public static Descriptor Of(Blob blob) => new()
    {
        MediaType = blob.MediaType,
        Digest = Digest.Parse(blob.Digest),
        Size = blob.Size,
        Annotations = blob.Annotations.Count > 0 ? blob.Annotations : null,
    };

    private async Task<Credential> AnswerAsync(CredentialQuestion question, CancellationToken cancellationToken) =>
        ++_questions > MaxQuestions ? throw Malformed("more questions for credentials than a pull has")
        : await new StoredCredentials(registry).FindAsync(question.Registry, question.Repository, cancellationToken).ConfigureAwait(false) is { } found
            ? new Credential { Username = found.Username ?? string.Empty, Secret = found.Secret }
            : new Credential();

    private void Draw(PullProgress news)
    {
        progress.Phase = news.Phase;
        foreach (var blob in news.Blobs)
        {
            if (blob.Index > _blobs.Count || blob.Index >= MaxBlobs)
            {
                throw Malformed("progress of blobs that no image has");
            }

            if (blob.Index == _blobs.Count)
            {
                _blobs.Add(progress.Add(
                    new Descriptor { MediaType = MediaTypes.OctetStream, Digest = Digest.Parse(blob.Digest), Size = blob.Total }, blob.Kind));
            }

            var known = _blobs[(int)blob.Index];
            known.Done = blob.Done;
            known.Unpacked = blob.Unpacked;
            known.State = WireNames.Find<BlobState>(blob.State) ?? known.State;
            known.Warning = blob.Warning.Length > 0 ? blob.Warning : null;
        }
    }

    private static RpcException Malformed(string what) => new(new Status(StatusCode.Internal, $"The daemon's answer is malformed: {what}."));
}
