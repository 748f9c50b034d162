using ImageStore.Distribution.Transport;

namespace ImageStore.Distribution.Registry;

/// <summary>What a request is for: which hosts may serve it, and which right it needs.</summary>
internal enum RegistryPurpose
{
    /// <summary>From a tag to a digest.</summary>
    Resolve,

    /// <summary>Reading by digest.</summary>
    Pull,

    /// <summary>Asking what refers to an image.</summary>
    Referrers,

    /// <summary>Writing.</summary>
    Push,

    /// <summary>Deleting.</summary>
    Delete,
}

/// <summary>A request to one repository, whichever host will serve it.</summary>
/// <param name="Purpose">What it is for.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">What follows <c>/v2/NAME/</c>, with its query.</param>
internal sealed record RepositoryRequest(RegistryPurpose Purpose, HttpMethod Method, string Path)
{
    public string? Accept { get; init; }

    /// <summary>The first byte asked for; 0 asks for all, without a Range header.</summary>
    public long RangeFrom { get; init; }

    /// <summary>The last byte asked for, or null for all that follow.</summary>
    public long? RangeTo { get; init; }

    /// <summary>Does it take a connection of its own?</summary>
    public bool OwnConnection { get; init; }

    /// <summary>The most that a success's body may hold; null leaves it unread, for streaming.</summary>
    public int? BodyLimit { get; init; }

    /// <summary>What is sent.</summary>
    public RequestBody? Body { get; init; }

    /// <summary>Another repository of the registry that is read from, for a mount.</summary>
    public string? MountFrom { get; init; }

    /// <summary>Is it sent again by itself after a failure of the moment? Not into an upload session that it may have changed.</summary>
    public bool Retry { get; init; } = true;
}
