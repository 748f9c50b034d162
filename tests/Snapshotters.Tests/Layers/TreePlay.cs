using ImageStore.Snapshotters.Layers;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Tests.Layers;

/// <summary>Another process that plays with trees while they are worked on: names become links to the outside and back, in all directories at once.</summary>
/// <remarks>It never stops with a reason: whatever it wants to change may just be gone.</remarks>
internal sealed class TreePlay : IDisposable
{
    private readonly Thread _thread;
    private readonly string[] _roots;
    private readonly string[] _names;
    private readonly string[] _outside;
    private volatile bool _stop;
    private long _moves;

    /// <param name="roots">Trees to play in.</param>
    /// <param name="names">Names to play with, at every depth.</param>
    /// <param name="outside">What links are made to point at.</param>
    /// <param name="seed">Decides what is done.</param>
    public TreePlay(string[] roots, string[] names, string[] outside, int seed)
    {
        (_roots, _names, _outside) = (roots, names, outside);
        _thread = new Thread(() => Play(new Random(seed))) { IsBackground = true, Name = "tree-play" };
        _thread.Start();
    }

    /// <summary>Changes that came about.</summary>
    public long Moves => Interlocked.Read(ref _moves);

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
    }

    private void Play(Random random)
    {
        while (!_stop)
        {
            try
            {
                if (OpenSomewhere(random) is not { } at)
                {
                    continue;
                }

                using (at)
                {
                    Change(at, RootedPath.Name(_names[random.Next(_names.Length)]), RootedPath.Name(_names[random.Next(_names.Length)]), random);
                }

                Interlocked.Increment(ref _moves);
            }
            catch (ImageStoreException)
            {
                // It was not there, or is taken.
            }
        }
    }

    private SafeFileHandle? OpenSomewhere(Random random)
    {
        var root = _roots[random.Next(_roots.Length)];
        if (!Directory.Exists(root))
        {
            return null;
        }

        using var top = OpenAt.HostDirectory(root);
        var path = string.Join('/', Enumerable.Range(0, random.Next(3)).Select(_ => _names[random.Next(_names.Length)]));
        return OpenAt.Directory(top, RootedPath.Name(path.Length == 0 ? "." : path));
    }

    private void Change(SafeFileHandle at, byte[] name, byte[] other, Random random)
    {
        switch (random.Next(6))
        {
            case 0:
                NameAt.Move(at, name, at, other, "play");
                break;
            case 1:
                // At one moment a directory, at the next a link.
                NameAt.Move(at, name, at, RootedPath.Name("aside"), "play");
                NameAt.MakeSymlink(at, name, RootedPath.Name(_outside[random.Next(_outside.Length)]), "play");
                break;
            case 2:
                NameAt.Remove(at, name, "play");
                NameAt.Move(at, RootedPath.Name("aside"), at, name, "play");
                break;
            case 3:
                NameAt.MakeSymlink(at, name, RootedPath.Name(_outside[random.Next(_outside.Length)]), "play");
                break;
            case 4:
                NameAt.MakeNode(at, name, 0x1000 | 0x180, 0, 0, "play");
                break;
            default:
                NameAt.MakeDirectory(at, name, 0x1ED, "play");
                break;
        }
    }
}
