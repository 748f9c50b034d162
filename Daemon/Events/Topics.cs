using ImageStore.Store;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Events;

/// <summary>containerd's topics, and what one may be.</summary>
internal static class Topics
{
    public const string NamespaceCreate = "/namespaces/create";
    public const string NamespaceUpdate = "/namespaces/update";
    public const string NamespaceDelete = "/namespaces/delete";
    public const string ContentCreate = "/content/create";
    public const string ContentDelete = "/content/delete";
    public const string ImageCreate = "/images/create";
    public const string ImageUpdate = "/images/update";
    public const string ImageDelete = "/images/delete";
    public const string SnapshotPrepare = "/snapshot/prepare";
    public const string SnapshotCommit = "/snapshot/commit";
    public const string SnapshotRemove = "/snapshot/remove";
    public const string ContainerCreate = "/containers/create";
    public const string ContainerUpdate = "/containers/update";
    public const string ContainerDelete = "/containers/delete";

    private const int MaxLength = 1024;

    /// <exception cref="ImageStoreException">It is no topic (<see cref="ErrorKind.InvalidArgument"/>).</exception>
    public static void Check(string topic)
    {
        if (topic.Length is < 2 or > MaxLength || topic[0] != '/' || !topic[1..].Split('/').All(Identifier.IsOne))
        {
            throw new ImageStoreException(
                ErrorKind.InvalidArgument,
                $"'{Printable.Of(topic)}' is not a topic.",
                "A topic is identifiers, each after a slash, such as /images/create.");
        }
    }
}
